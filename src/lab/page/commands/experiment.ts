/** @file The preset experiment: two cuts of the demo, trained in several ways and measured. It goes on with what is there already. */
import { presetExperiment } from '../../../retrain/preset';
import { allParts, type ExperimentCut, type ExperimentPart, experimentOf, nameOf } from '../experiment';
import type { Context } from './context';
import type { RetrainSteps } from './retrain';
import type { Task } from './tasks';
import { refreshVariants } from './variantList';

export interface ExperimentCommands {
  /** Makes the pruned variants, trains each in every way, and measures all of them. What is done is not done again. */
  runExperiment(): Promise<void>;
}

export function createExperimentCommands(context: Context, retraining: RetrainSteps): ExperimentCommands {
  const { lab, store, tasks, saving } = context;
  const { getState } = store;

  const state = (): ExperimentCut[] => experimentOf(getState().comparison, getState().trainings);

  async function makeCuts(task: Task): Promise<void> {
    for (const { cut, pruned } of state()) {
      if (pruned) continue;
      const plan = await lab.plan({ criterion: presetExperiment.criterion, count: cut.count }, task);
      await lab.variant(plan, { name: nameOf(cut), signal: task.signal });
    }
    await refreshVariants(context);
  }

  /** Trains, or waits for a training that the queue has already; then measures the trained variant. */
  async function make({ choice, training, cut, queued }: ExperimentPart, pruned: string, task: Task): Promise<void> {
    const { signal } = task;
    const name = `${cut.name} cut, ${training.method}`;
    const made = queued
      ? await retraining.resumeOne(queued.id, signal)
      : await retraining.trainOne(pruned, { ...choice, name }, signal);
    if (made && !signal.aborted) await retraining.measureRows([made.id], { signal, onProgress: () => undefined });
  }

  return {
    async runExperiment() {
      const { model } = getState();
      if (model?.id !== presetExperiment.model) return;
      await tasks.run('experiment', async (task) => {
        await retraining.readTrainings();
        await makeCuts(task);
        const cuts = state();
        const ids = cuts.flatMap(({ pruned }) => pruned?.variant ?? []);
        await retraining.measureRows(['base', ...ids], task);
        const missing = allParts(cuts).filter(({ row }) => row === null);
        const parents = new Map(cuts.map(({ cut, pruned }) => [cut.name, pruned?.variant]));
        task.onProgress({ stage: 'Training', done: 0, total: missing.length, unit: 'trainings' });
        let done = 0;
        await Promise.all(
          missing.map(async (part) => {
            const pruned = parents.get(part.cut.name);
            if (pruned !== undefined) await make(part, pruned, task);
            done += 1;
            task.onProgress({ stage: 'Training', done, total: missing.length, unit: 'trainings' });
          }),
        );
        // Of an earlier run that ended before it had measured all.
        await retraining.measureRows(
          allParts(state()).flatMap(({ row }) => row?.variant ?? []),
          task,
        );
      });
      await tasks.command('experiment', () => refreshVariants(context));
      saving.soon();
    },
  };
}
