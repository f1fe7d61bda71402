/** @file Brings back what an earlier session measured of a model, on the same bytes and adapter. */
import type { ModelInfo } from '../../../report/facts';
import { draftOf } from '../draft';
import type { Saved } from '../saved';
import { baseSelection } from '../selection';
import type { CalibrationChoice, EvaluationChoice } from '../store';
import type { Context } from './context';
import type { LiveSteps } from './live';

export interface Restoring {
  restore(model: ModelInfo): Promise<void>;
}

export function createRestoring({ lab, browser, store }: Context, live: LiveSteps): Restoring {
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

  async function restore(model: ModelInfo): Promise<void> {
    try {
      const saved = await browser.sessions.load(getState());
      if (!saved) return;
      const choices = await withoutDownload(saved);
      const numbers =
        choices.evaluationChoice === saved.evaluationChoice ? saved : { ...saved, base: null, live: null };
      await lab.restoreComparison(saved.comparison);
      const variants = await lab.variants();
      if (getState().model !== model) return;
      if (numbers.base) live.know(baseSelection(model.id), numbers.base);
      if (numbers.live) live.know(numbers.live.selection, numbers.live.result);
      const selection = saved.plan ? { plan: saved.plan, ownWeights: saved.ownWeights } : baseSelection(model.id);
      setState({ ...numbers, ...choices, ...selection, draft: draftOf(model, selection.plan), variants });
    } catch (thrown) {
      console.warn('The last session could not be restored; its numbers will be measured again.', thrown);
    }
  }

  return { restore };
}
