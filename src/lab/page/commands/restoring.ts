/** @file Restores an earlier session's results of a model, measured on the same bytes and adapter. */
import type { ModelInfo } from '../../../report/facts';
import { draftOf } from '../draft';
import type { Saved } from '../saved';
import { baseSelection, type Selection, selectionOf } from '../selection';
import type { CalibrationChoice, EvaluationChoice } from '../store';
import type { Context } from './context';
import type { LiveSteps } from './live';
import { refreshVariants } from './variantList';

export interface Restoring {
  restore(model: ModelInfo): Promise<void>;
}

export function createRestoring(context: Context, live: LiveSteps): Restoring {
  const { lab, browser, store } = context;
  const { getState, setState } = store;

  /** The saved choices, except texts that are no longer stored: the page downloads nothing by itself. */
  async function withoutDownload(saved: Saved): Promise<Pick<Saved, 'calibrationChoice' | 'evaluationChoice'>> {
    const { calibrationChoice, evaluationChoice } = saved;
    const absent = (await lab.texts()).filter(({ kind, stored }) => kind === 'hub' && stored === null);
    const isHere = ({ corpus }: CalibrationChoice | EvaluationChoice) => absent.every(({ name }) => name !== corpus);
    return {
      calibrationChoice: isHere(calibrationChoice) ? calibrationChoice : {},
      evaluationChoice: isHere(evaluationChoice) ? evaluationChoice : {},
    };
  }

  /** Where a variant with weights of its own is no longer there, its plan is shown with the model's. */
  async function restoreSaved(saved: Saved, model: ModelInfo): Promise<void> {
    const { record, ...state } = saved;
    const choices = await withoutDownload(saved);
    const numbers = choices.evaluationChoice === saved.evaluationChoice ? state : { ...state, base: null, live: null };
    const comparison = await lab.restoreComparison(record ?? saved.comparison);
    const variants = await lab.variants();
    if (getState().model !== model) return;
    if (numbers.base) live.know(baseSelection(model.id), numbers.base);
    const isHere = ({ ownWeights }: Selection): boolean =>
      ownWeights === null || variants.some(({ id }) => id === ownWeights);
    const settle = (each: Selection): Selection => (isHere(each) ? each : { ...each, ownWeights: null });
    const number = numbers.live && isHere(numbers.live.selection) ? numbers.live : null;
    if (number) live.know(number.selection, number.result);
    const selection = settle(selectionOf(saved) ?? baseSelection(model.id));
    setState({
      ...numbers,
      ...choices,
      ...selection,
      live: number,
      past: saved.past.map(settle),
      future: saved.future.map(settle),
      draft: draftOf(model, selection, variants),
      variants,
      comparison,
    });
  }

  async function restore(model: ModelInfo): Promise<void> {
    try {
      const saved = await browser.sessions.load(getState());
      if (saved) return await restoreSaved(saved, model);
    } catch (thrown) {
      console.warn('The last session could not be restored; its numbers will be measured again.', thrown);
    }
    // Weights of variants are stored with the model, whether or not a session is.
    await refreshVariants(context);
  }

  return { restore };
}
