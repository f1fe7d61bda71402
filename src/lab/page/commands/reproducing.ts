/** @file Runs a report again for the page, and leaves the laboratory open with everything that was measured. */
import type { ModelInfo } from '../../../report/facts';
import type { ModelRecord } from '../../../report/record';
import { calibrationRequest, perplexityRequest, type TokenRequest } from '../../../report/reproduction/tokens';
import type { PerplexityResult } from '../../../report/results';
import type { ReproducedKind } from '../../contract/sharing';
import { type Reproduction, reportKey } from '../reproduce/reproduction';
import { measuredOf } from '../saved';
import { baseSelection } from '../selection';
import type { CalibrationChoice, EvaluationChoice } from '../store';
import { toPageScores } from '../widthScores';
import type { BootSteps } from './boot';
import type { Context } from './context';
import { hubOverride } from './hub';
import type { LiveSteps } from './live';
import type { OpeningSteps } from './opening';
import type { Remembering } from './remembering';
import type { StorageCommands } from './storage';
import { refreshVariants } from './variantList';

/** What the user chooses. */
export interface ReproduceChoice {
  skip: readonly ReproducedKind[];
  /** Opens a model of the Hub. */
  token?: string;
}

export interface ReproduceCommands {
  /** Loads the report's model, measures its numbers again, and keeps the model open. Ends what is open. */
  reproduceReport(report: ModelRecord, choice: ReproduceChoice): Promise<void>;
  /** Leaves the part out that runs; the others go on. */
  skipPart(): void;
}

interface Parts extends BootSteps {
  readonly opening: OpeningSteps;
  readonly live: LiveSteps;
  readonly remembering: Remembering;
  readonly storage: StorageCommands;
}

export function createReproduceCommands(
  context: Context,
  { start, opening, live, remembering, storage }: Parts,
): ReproduceCommands {
  const { lab, worker, browser, store, tasks, saving } = context;
  const { getState, setState } = store;
  let skipping: AbortController | null = null;
  /** The model that the present run has opened. */
  let presented: ModelInfo | null = null;

  const change = (more: (before: Reproduction) => Partial<Reproduction>): void =>
    setState(({ reproduction }) => ({ reproduction: reproduction && { ...reproduction, ...more(reproduction) } }));

  /** Shows the model, and brings the variants of the last session with it back: saving this one must not lose them. */
  async function present(model: ModelInfo): Promise<ModelInfo> {
    await opening.present(model);
    presented = model;
    try {
      const saved = await browser.sessions.load(getState());
      if (saved && saved.comparison.length > 0) await lab.restoreComparison(saved.comparison);
    } catch (thrown) {
      console.warn('The variants of the last session could not be restored.', thrown);
    }
    return model;
  }

  async function reproduceReport(report: ModelRecord, { skip, token }: ReproduceChoice): Promise<void> {
    const key = reportKey(report);
    presented = null;
    setState({ reproduction: { key, values: [], part: null, device: null, complete: false } });
    await tasks.run('reproduce', async (task) => {
      if (!(await start())) return;
      change(() => ({ device: getState().device }));
      const { reproduce } = await import('../reproduce/reproduce');
      const laboratory = {
        ...lab,
        load: async (...args: Parameters<typeof lab.load>) => present(await worker.loadForPage(...args)),
      };
      await reproduce(laboratory, report, {
        ...task,
        ...hubOverride(browser),
        ...(token && { token }),
        skip,
        onValue: (value) => change(({ values }) => ({ values: [...values, value] })),
        onPart: (part) => {
          skipping = new AbortController();
          change(() => ({ part }));
          return skipping.signal;
        },
      });
      change(() => ({ complete: true }));
    });
    skipping = null;
    change(() => ({ part: null }));
    await tasks.command('reproduce', () => keepOpen(report));
  }

  /** What was measured becomes the session of the page, on the texts of the report. */
  async function keepOpen(report: ModelRecord): Promise<void> {
    const { model } = getState();
    if (!model || model !== presented) return;
    const record = await lab.report();
    if (getState().model !== model) return;
    const widthScores = Object.fromEntries(record.widthScores.map((scores) => [scores.method, toPageScores(scores)]));
    const base = mainPerplexity(record, report);
    const choices = choicesOf(report, base);
    setState({ ...measuredOf(record), widthScores, ...choices, base });
    if (base) live.know(baseSelection(model.id), base);
    remembering.firstResult();
    await refreshVariants(context);
    await storage.refreshStorage();
    saving.soon();
  }

  return { reproduceReport, skipPart: () => skipping?.abort() };
}

/** The base's perplexity on the report's text: the page measures on that text from now on. */
function mainPerplexity(record: ModelRecord, report: ModelRecord): PerplexityResult | null {
  const of = ({ comparison }: ModelRecord): PerplexityResult[] =>
    Object.values(comparison.find(({ variant }) => variant === 'base')?.perplexity ?? {});
  const hashes = new Set(of(report).map(({ text }) => text.hash));
  return of(record).find(({ text }) => hashes.has(text.hash)) ?? null;
}

/** What the page calibrates and evaluates on: the report's texts, where they have a name. */
function choicesOf(
  report: ModelRecord,
  base: PerplexityResult | null,
): { calibrationChoice: CalibrationChoice; evaluationChoice: EvaluationChoice } {
  const given = { texts: [], calibration: { calibration: report.calibration } };
  const named = (found: { request: TokenRequest } | { why: string } | null, builtIn: string): TokenRequest => {
    if (found === null || 'why' in found) return {};
    const { corpus, ...rest } = found.request;
    if (corpus === undefined) return {}; // a text that only the run was given
    return corpus === builtIn ? rest : { corpus, ...rest };
  };
  const { stride: _stride, ...evaluationChoice } = named(base && perplexityRequest(base, given), 'evaluation');
  return {
    calibrationChoice: named(report.calibration && calibrationRequest(report.calibration, given), 'calibration'),
    evaluationChoice,
  };
}
