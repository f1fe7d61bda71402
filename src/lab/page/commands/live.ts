/** @file The perplexity that follows every edit: of the plan being edited, and of the base that it is compared with. */
import { LabError } from '../../../errors';
import type { ModelInfo } from '../../../report/facts';
import type { PerplexityResult } from '../../../report/results';
import { baseSelection, isBase, KnownResults, type Selection, selectionOf, targetOf } from '../selection';
import type { EvaluationChoice } from '../store';
import type { Context } from './context';
import { hubOverride } from './hub';
import type { Remembering } from './remembering';
import type { Task } from './tasks';
import { refreshVariants } from './variantList';

/** So many edited plans of the open model are remembered. */
export const mostSelections = 1000;
/** Held-out sequences of a live perplexity, unless the user chose another number. */
const liveSamples = 16;
/** The same on a software adapter, where a click would otherwise wait for many seconds. */
const emulatedSamples = 8;

/** The tokens of every perplexity that the page shows: equal, so that its numbers compare. */
export function heldOut({ browser, store }: Context, choice?: EvaluationChoice): EvaluationChoice & { hub?: string } {
  const { device, evaluationChoice } = store.getState();
  const samples = device?.software ? emulatedSamples : liveSamples;
  return { samples, ...(choice ?? evaluationChoice), ...hubOverride(browser) };
}

export const isNonFinite = (thrown: unknown): boolean => thrown instanceof LabError && thrown.code === 'non-finite';

export interface LiveSteps {
  /** Measures the perplexity of the edited plan, and before it that of the base when it is not known yet. */
  measureLive(): Promise<void>;
  /** The perplexity of a selection, known or measured now; null where it has none. */
  measure(selection: Selection, task: Task): Promise<PerplexityResult | null>;
  /** Shows the perplexity of the edited plan if it was measured before; says whether it was. */
  showKnown(): boolean;
  /** Takes a perplexity of this session's text as known. */
  know(selection: Selection, result: PerplexityResult): void;
  /** Forgets what was measured with a variant's own weights. */
  forget(variant: string): void;
  /** Forgets all: another model, or another text. */
  clear(): void;
}

export function createLive(context: Context, remembering: Remembering): LiveSteps {
  const { lab, store, tasks, saving } = context;
  const { getState, setState } = store;
  const measured = new KnownResults<PerplexityResult>(mostSelections);

  async function measureLive(): Promise<void> {
    const { model } = getState();
    const selection = selectionOf(getState());
    if (!model || !selection) return;
    const base = baseSelection(model.id);
    await tasks.run('live', async (task) => {
      await measureOne(base, model, task, !isBase(selection));
      await measureOne(selection, model, task, false);
    });
    if (getState().model !== model) return;
    if (getState().base !== null) remembering.firstResult();
    showKnown();
    saving.soon();
  }

  /** `maySpoil`: a non-finite value in a block spoils the base, but no variant without that block. */
  async function measureOne(selection: Selection, model: ModelInfo, task: Task, maySpoil: boolean): Promise<void> {
    const isOver = (): boolean => task.signal.aborted || getState().model !== model;
    if (isOver() || measured.get(selection)) return;
    const target = targetOf(selection);
    const result = await lab.perplexity(target, { ...task, ...heldOut(context) }).catch((thrown: unknown) => {
      if (maySpoil && isNonFinite(thrown)) return null;
      throw thrown;
    });
    if (result === null || isOver()) return;
    measured.set(selection, result);
    if (isBase(selection)) setState({ base: result });
    if (typeof target === 'string') await refreshVariants(context); // the variant's row has its number now
  }

  function showKnown(): boolean {
    const selection = selectionOf(getState());
    const result = selection && measured.get(selection);
    if (!result) return false;
    setState({ live: { selection, result } });
    return true;
  }

  return {
    measureLive,
    async measure(selection, task) {
      const { model } = getState();
      if (model) await measureOne(selection, model, task, true);
      return measured.get(selection) ?? null;
    },
    showKnown,
    know: (selection, result) => measured.set(selection, result),
    forget: (variant) => measured.forget(variant),
    clear: () => measured.clear(),
  };
}
