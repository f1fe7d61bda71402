/** @file The built-in multiple-choice questions: every variant of the comparison is asked the same ones. */
import type { ComparisonRow } from '../../../report/results';
import { mostStoryEndings, storyEndings } from '../../../tasks/storyEndings';
import type { LabState } from '../store';
import type { Context } from './context';
import { isNonFinite } from './live';
import { refreshVariants } from './variantList';

export interface QuestionCommands {
  /** Asks the built-in questions of the original model and of every variant that was not asked them yet. */
  askQuestions(): Promise<void>;
}

/** An emulated GPU answers about one question a second. */
const emulatedQuestions = 20;

/** How many of the built-in questions the page asks: all of them on a GPU, the first ones where that would take minutes. */
export function questionsToAsk({ device }: Pick<LabState, 'device'>): number {
  return device?.software === false ? mostStoryEndings : emulatedQuestions;
}

/** The rows whose variants can be asked and have not answered so many built-in questions. */
export function unasked(comparison: readonly ComparisonRow[], items: number): ComparisonRow[] {
  return comparison.filter(
    ({ patchLost, countsOnly, tasks = [] }) =>
      !patchLost && !countsOnly && !tasks.some((result) => result.task === storyEndings && result.items === items),
  );
}

export function createQuestionCommands(context: Context): QuestionCommands {
  const { lab, store, tasks, saving } = context;
  return {
    async askQuestions() {
      const limit = questionsToAsk(store.getState());
      await tasks.run('questions', async ({ signal, onProgress }) => {
        for (const { variant, name } of unasked(store.getState().comparison, limit)) {
          if (!store.getState().comparison.some((row) => row.variant === variant)) continue; // discarded meanwhile
          const named: typeof onProgress = (progress) =>
            onProgress({ ...progress, stage: `${name}: ${progress.stage}` });
          try {
            await lab.evaluate(variant, { task: storyEndings, limit, signal, onProgress: named });
          } catch (thrown) {
            if (!isNonFinite(thrown)) throw thrown; // a broken variant has no answers: the others still do
          }
          await refreshVariants(context);
        }
      });
      saving.soon();
    },
  };
}
