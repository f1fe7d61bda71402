/** @file Opening a model: load it, bring back its numbers, measure the first results. */

import { withoutGpu } from '../../../importance/methods';
import type { ModelInfo } from '../../../report/facts';
import type { LoadOptions, Source } from '../../contract/types';
import { draftOf } from '../draft';
import type { Opening } from '../opening';
import { baseSelection } from '../selection';
import { initialState, type LabState } from '../store';
import type { AddressSteps } from './address';
import type { Context } from './context';
import type { Following } from './following';
import { hubOverride } from './hub';
import type { ImportanceCommands, ImportanceSteps } from './importance';
import type { LiveSteps } from './live';
import type { Remembering } from './remembering';
import type { Restoring } from './restoring';
import type { RetrainSteps } from './retrain';
import type { StorageCommands } from './storage';
import type { TextCommands, TextSteps } from './texts';
import type { WritingCommands, WritingSteps } from './writing';

/** What the user, or the start of a visit, chooses besides the source. */
export type LoadChoice = Pick<LoadOptions, 'token' | 'changed' | 'stored'>;

export interface OpeningCommands {
  /** Loads another model; the open one stays until the new one is complete. Resolves to whether it opened. */
  loadModel(source: Source, options?: LoadChoice): Promise<boolean>;
}

export interface OpeningSteps {
  /** Shows a model that a script opened. Measures and restores nothing, so that the script finds a new session. */
  adopt(model: ModelInfo): Promise<void>;
  /** Shows the model of a report that runs again, under the name that opens it on a later visit. */
  present(model: ModelInfo): Promise<void>;
}

interface Parts {
  readonly address: AddressSteps;
  readonly storage: StorageCommands;
  readonly remembering: Remembering;
  readonly restoring: Restoring;
  readonly importance: ImportanceCommands & ImportanceSteps;
  readonly texts: TextCommands & TextSteps;
  readonly live: LiveSteps;
  readonly writing: WritingCommands & WritingSteps;
  readonly following: Following;
  readonly readTrainings: RetrainSteps['readTrainings'];
}

const firstPrompt = 'Once upon a time,';

/** Failures that say nothing against the model: it has no tokenizer, or a text could not be read. */
const harmless: ReadonlySet<string> = new Set([
  'bad-tokenizer',
  'bad-argument',
  'network',
  'missing-file',
  'bad-source',
]);

export function createOpeningCommands(context: Context, parts: Parts): OpeningCommands & OpeningSteps {
  const { lab, worker, browser, store, tasks, saving } = context;
  const { address, storage, remembering, restoring, importance, texts, live, writing, following, readTrainings } =
    parts;
  const { openings } = browser;
  const { getState, setState } = store;

  async function load(source: Source, options: LoadChoice): Promise<boolean> {
    let opening: Opening | null = null;
    try {
      const model = await tasks.run('load', async (task) => {
        // A tab that crashes from here on leaves a mark. Files from disk get theirs once they are stored: before, the next
        // visit could not open them.
        if (typeof source === 'string') opening = await openings.begin(source.trim());
        return worker.loadForPage(source, { changed: 'ask', ...task, ...hubOverride(browser), ...options });
      });
      await storage.refreshStorage();
      if (!model) {
        noteChanged(source);
        return false;
      }
      tasks.cancelThese((key) => key !== 'load');
      const name = nameOf(model);
      opening ??= await openings.begin(name);
      opening.reached('measuring');
      await show(model, name);
      await restoring.restore(model);
      const remaining = getState().model === model ? address.opened(model) : null;
      await firstResults(model, opening);
      await remaining?.();
      return true;
    } finally {
      (opening as Opening | null)?.end();
    }
  }

  /** A folder whose files are no longer the stored ones: the user decides which to open. */
  function noteChanged(source: Source): void {
    const task = getState().tasks.load;
    const isChanged = task?.phase === 'failed' && task.failure.code === 'changed';
    setState({ changedSource: isChanged && typeof source === 'string' ? source : null });
  }

  /** Shows a model without any numbers. `expected`: its source, where the page opened it. */
  async function show(model: ModelInfo, expected: string | null): Promise<void> {
    following.stop();
    address.leave();
    await saving.now();
    remembering.expect(expected);
    live.clear();
    writing.clear();
    const stored = await lab.stored();
    const {
      device,
      unitMode,
      criterion,
      subBlockCriterion,
      widthMethod,
      widthChoice,
      plus,
      tasks: running,
    } = getState();
    const { unfinished, storage: space, catalogue, catalogueFailure } = getState();
    const { corpora, calibrationChoice, evaluationChoice, reproduction } = getState();
    const { reproduce } = running;
    const goesOn = reproduce?.phase === 'running';
    const selection = baseSelection(model.id);
    setState({
      ...initialState,
      ready: true,
      device,
      model,
      unitMode,
      criterion,
      subBlockCriterion,
      widthMethod,
      widthChoice,
      plus,
      unfinished,
      storage: space,
      catalogue,
      catalogueFailure,
      corpora,
      calibrationChoice,
      evaluationChoice,
      ...selection,
      draft: draftOf(model, selection, []),
      stored,
      reproduction: goesOn ? reproduction : null,
      tasks: { load: running.load ?? { phase: 'done' }, ...(goesOn && { reproduce }) },
      texts: { prompt: firstPrompt, base: null, variant: null },
    });
  }

  /** Fast criteria first, so that the blocks have colours within seconds; then perplexities; then text. */
  async function firstResults(model: ModelInfo, opening: Opening): Promise<void> {
    const { device } = getState();
    const isOver = (): boolean => getState().model !== model;
    const calibrated = await texts.calibrateAsChosen();
    if (isOver()) return;
    if (!calibrated) {
      if (opensWithoutPerplexity()) remembering.firstResult();
      return;
    }
    texts.adoptCalibration(calibrated);
    void texts.refreshTexts();
    void tasks.command('retrain', readTrainings);
    await importance.measureFast();
    if (isOver()) return;
    if (!device) setState(choiceWithoutGpu());
    await live.measureLive();
    if (isOver()) return;
    await texts.evaluateOnBuiltInIfNeeded();
    if (isOver()) return;
    if (opensWithoutPerplexity()) remembering.firstResult();
    opening.reached('more');
    if (device && !getState().scores.ppl) await importance.measure('ppl');
    if (!isOver()) await importance.measureChosen();
    if (model.tokenizer && !isOver()) await writing.write(getState().texts.prompt);
  }

  /** The model opened, but no text can be measured on it. */
  function opensWithoutPerplexity(): boolean {
    const { calibrate, live: perplexity } = getState().tasks;
    return [calibrate, perplexity].some((task) => task?.phase === 'failed' && harmless.has(task.failure.code));
  }

  return {
    loadModel: async (source, options = {}) => (await tasks.command('load', () => load(source, options))) ?? false,
    async present(model) {
      tasks.cancelThese((key) => key !== 'reproduce');
      await show(model, nameOf(model));
    },
    async adopt(model) {
      await tasks.command('load', async () => {
        tasks.cancelThese(() => true);
        await show(model, null);
        address.scripted();
      });
    },
  };
}

/** A source that opens a stored model again: files from disk have no address. */
const nameOf = ({ id, source }: ModelInfo): string => (id.startsWith('files:') ? id : source);

/** The criteria that are chosen where there is no GPU: for blocks, and for attentions and MLPs. */
function choiceWithoutGpu(): Partial<Pick<LabState, 'criterion' | 'subBlockCriterion'>> {
  const criterion = withoutGpu.find(({ units }) => units.includes('block'))?.id;
  const subBlockCriterion = withoutGpu.find(({ units }) => units.includes('attention') && units.includes('mlp'))?.id;
  return { ...(criterion && { criterion }), ...(subBlockCriterion && { subBlockCriterion }) };
}
