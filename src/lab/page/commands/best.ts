/** @file The command that searches the best variant under a budget, and shows it on the strip. */
import type { TaskOptions } from '../../../task';
import type { BestRequest } from '../../contract/types';
import type { Context } from './context';
import { heldOut } from './live';
import type { PlanSteps } from './plan';
import { refreshVariants } from './variantList';

/** What the user chooses of a search. */
export type BestChoice = Omit<BestRequest, keyof TaskOptions>;

export interface BestCommands {
  /** Searches the variant with the lowest perplexity under budgets, benchmarks it, and makes it the edited plan. */
  findBest(choice: BestChoice): Promise<void>;
}

export function createBestCommands(context: Context, plans: PlanSteps): BestCommands {
  const { lab, store, tasks, saving } = context;

  return {
    async findBest(choice) {
      const { model } = store.getState();
      if (!model) return;
      const best = await tasks.run('best', (task) => lab.best({ evaluation: heldOut(context), ...choice, ...task }));
      await tasks.command('best', () => refreshVariants(context));
      if (!best || store.getState().model !== model) return;
      store.setState({ best });
      plans.select({ plan: best.variant.plan, ownWeights: null });
      saving.soon();
    },
  };
}
