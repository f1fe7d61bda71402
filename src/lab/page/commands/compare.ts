/** @file Commands that compare depth with width: the preset, a budget of the user's own, and images of charts. */
import type { TaskOptions } from '../../../task';
import type { CompareRequest } from '../../contract/types';
import type { Context } from './context';
import { heldOut } from './live';
import { refreshVariants } from './variantList';

/** What the user chooses of a comparison. */
export type CompareChoice = Omit<CompareRequest, keyof TaskOptions>;

export interface CompareCommands {
  /** Makes depth and width variants that meet a budget, and benchmarks all of them by turns. */
  compare(choice: CompareChoice): Promise<void>;
  /** Saves the image of a chart where the browser puts downloads. */
  saveImage(file: File): void;
}

export function createCompareCommands(context: Context): CompareCommands {
  const { lab, browser, store, tasks, saving } = context;

  return {
    async compare(choice) {
      if (!store.getState().model) return;
      let stage = '';
      store.setState({ refused: [] });
      const rows = await tasks.run('compare', (task) =>
        lab.compare({
          evaluation: heldOut(context),
          ...choice,
          signal: task.signal,
          onProgress: (progress) => {
            task.onProgress(progress);
            if (progress.stage === stage) return;
            stage = progress.stage; // what the last stage measured is in the table before the next one ends
            void refreshVariants(context).catch(() => undefined);
          },
        }),
      );
      store.setState({ refused: rows?.[0]?.refused ?? [] });
      await tasks.command('compare', () => refreshVariants(context));
      saving.soon();
    },
    saveImage: (file) => browser.download(file),
  };
}
