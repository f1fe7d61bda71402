/** @file Commands that train variants: start, pause, resume, stop, and what the page reads of the queue meanwhile. */
import type { ModelInfo } from '../../../report/facts';
import { toFailure } from '../../contract/failure';
import type { DatasetInstructions, RetrainResult, TrainingInfo } from '../../contract/retraining';
import type { VariantInfo } from '../../contract/types';
import { type Selection, sameSelection, selectionOf } from '../selection';
import { hasOwnWeights, shownVariant } from '../shownVariant';
import type { TaskKey } from '../store';
import { type EndedTraining, type MemoryAnswer, madeBy, type TrainingChoice } from '../training';
import type { Context } from './context';
import { hubOverride } from './hub';
import { heldOut } from './live';
import type { PlanSteps } from './plan';
import type { Task } from './tasks';
import { refreshVariants } from './variantList';

export interface RetrainCommands {
  /** Trains variants one after the other; null stands for the plan that the page shows. Resolves when all have ended. */
  train(variants: readonly (string | null)[], choice: TrainingChoice): Promise<void>;
  /** Asks what a training would take of GPU memory. */
  askTrainingMemory(variant: string | null, choice: TrainingChoice): Promise<void>;
  /** Fetches the first instruction pairs of a data set on the Hub. */
  readDataset(dataset: string): Promise<DatasetInstructions | undefined>;
  pauseTraining(id: string): Promise<void>;
  /** Goes on with a paused or interrupted training. Resolves when it has ended. */
  resumeTraining(id: string): Promise<void>;
  /** Ends a training. With `keep` its weights as they are become a variant. */
  stopTraining(id: string, keep: boolean): Promise<void>;
}

export interface RetrainSteps {
  /** Reads the queue of the open model: after a reload it holds interrupted trainings. */
  readTrainings(): Promise<void>;
  /** Trains one variant. Resolves to the trained variant, or to null where none was made. A signal that fires ends the training. */
  trainOne(variant: string, choice: TrainingChoice, signal?: AbortSignal): Promise<VariantInfo | null>;
  /** Goes on with a training, or waits for its end. A signal that fires pauses it. */
  resumeOne(id: string, signal?: AbortSignal): Promise<VariantInfo | null>;
  /** Measures the held-out perplexity of variants whose rows have none on the page's text. */
  measureRows(ids: readonly string[], task: Task): Promise<void>;
}

/** Least time between two reads of the queue. */
export const readEveryMs = 500;
/** So many ended trainings keep their curves. */
const mostEnded = 20;

export function createRetrainCommands(
  context: Context,
  plans: PlanSteps,
): { readonly commands: RetrainCommands; readonly steps: RetrainSteps } {
  const { lab, browser, store, tasks, saving } = context;
  const { getState, setState } = store;
  let calls = 0;
  let asked = 0;
  let reading: ReturnType<typeof setTimeout> | undefined;

  async function readTrainings(): Promise<void> {
    const { model } = getState();
    if (!model) return;
    const trainings = await lab.trainings();
    if (getState().model === model) setState({ trainings });
  }

  /** Reads the queue once, a moment from now, however often progress is reported. */
  function readSoon(): void {
    if (reading !== undefined) return;
    reading = setTimeout(() => {
      reading = undefined;
      void readTrainings().catch(() => undefined); // the training's own call says why
    }, readEveryMs);
  }

  /** Runs a call that ends with a trained variant. The queue outlives the page's tasks, so that the call has no signal. */
  async function follow(
    call: (task: Pick<Task, 'onProgress'>) => Promise<RetrainResult>,
    request: TrainingChoice,
  ): Promise<VariantInfo | null> {
    const { model } = getState();
    if (!model) return null;
    const key: TaskKey = `training:${++calls}`;
    const result = await tasks.run(key, async ({ onProgress }) => {
      const running = call({
        onProgress: (progress) => {
          onProgress(progress);
          readSoon();
        },
      });
      void readTrainings().catch(() => undefined);
      return running;
    });
    await tasks.command(key, async () => {
      await Promise.all([readTrainings(), refreshVariants(context)]);
    });
    if (!result || getState().model !== model) return null;
    note({
      ...{ variant: result.variant.id, name: result.variant.name, parent: result.variant.parent ?? 'base' },
      ...{ request, losses: result.losses, evaluations: result.evaluations },
    });
    saving.soon();
    return result.variant;
  }

  /** Two calls may wait for one training: its own, and one that resumed it. */
  function note(ended: EndedTraining): void {
    const others = getState().trained.filter(({ variant }) => variant !== ended.variant);
    setState({ trained: [...others, ended].slice(-mostEnded) });
  }

  const trainOne: RetrainSteps['trainOne'] = (variant, choice, signal) => {
    const request = choice.heldOut === undefined ? { evaluation: heldOut(context), ...choice } : choice;
    return follow((task) => lab.retrain(variant, { ...request, ...task, ...(signal && { signal }) }), request);
  };

  const known = (id: string): TrainingInfo | undefined => getState().trainings.find((each) => each.id === id);

  const resumeOne: RetrainSteps['resumeOne'] = async (id, signal) => {
    const training = known(id);
    if (!training) return null;
    return follow((task) => lab.resumeTraining(id, { ...task, ...(signal && { signal }) }), training.request);
  };

  async function measureRows(ids: readonly string[], task: Task): Promise<void> {
    const evaluation = heldOut(context);
    for (const id of ids) {
      const text = getState().base?.text.hash;
      const row = getState().comparison.find(({ variant }) => variant === id);
      const isMeasured = Object.values(row?.perplexity ?? {}).some((result) => result.text.hash === text);
      if (task.signal.aborted || isMeasured) continue;
      await lab.perplexity(id, { ...task, ...evaluation });
    }
    await refreshVariants(context);
  }

  /** Measures a trained variant beside the one that it was made from, and shows it where the user has not moved on. */
  async function present(model: ModelInfo, made: readonly VariantInfo[], shown: Selection | null): Promise<void> {
    const last = made.at(-1);
    if (!last || getState().model !== model) return;
    const selection = selectionOf(getState());
    if (selection && shown && sameSelection(selection, shown)) {
      plans.select({ plan: last.plan, ownWeights: hasOwnWeights(last) ? last.id : null });
    }
    const parents = made.flatMap(({ parent }) => parent ?? []);
    await tasks.run('retrain', (task) => measureRows([...new Set([...parents, ...made.map(({ id }) => id)])], task));
    saving.soon();
  }

  /** Ids of the chosen variants. A plan that is shown and was not kept becomes a variant. */
  async function idsOf(variants: readonly (string | null)[], task: Pick<Task, 'signal'>): Promise<string[]> {
    const ids: string[] = [];
    for (const each of variants) {
      const { plan } = getState();
      const id = each ?? shownVariant(getState()) ?? (plan && (await lab.variant(plan, task)).id);
      if (id !== null && !ids.includes(id)) ids.push(id);
    }
    return ids;
  }

  const commands: RetrainCommands = {
    async train(variants, choice) {
      const { model } = getState();
      if (!model) return;
      const ids = await tasks.run('retrain', (task) => idsOf(variants, task));
      if (!ids || getState().model !== model) return;
      const shown = selectionOf(getState());
      const made = await Promise.all(ids.map((id) => trainOne(id, choice)));
      await present(
        model,
        made.filter((each) => each !== null),
        shown,
      );
    },
    async askTrainingMemory(variant, choice) {
      asked += 1;
      const question = asked;
      const id = variant ?? shownVariant(getState());
      const ofBase = id === null;
      const answer = await lab.trainingMemory(id ?? 'base', choice).then(
        (memory): MemoryAnswer => ({ memory, failure: null, ofBase }),
        (thrown: unknown): MemoryAnswer => ({ memory: null, failure: toFailure(thrown), ofBase }),
      );
      if (question === asked) setState({ trainingMemory: answer });
    },
    readDataset: (dataset) =>
      tasks.run('instructions', (task) => lab.readInstructions({ dataset }, { ...hubOverride(browser), ...task })),
    async pauseTraining(id) {
      await tasks.command('retrain', async () => {
        await lab.pauseTraining(id);
        await readTrainings();
      });
    },
    async resumeTraining(id) {
      const { model } = getState();
      if (!model) return;
      const shown = selectionOf(getState());
      const made = await resumeOne(id);
      if (made) await present(model, [made], shown);
    },
    async stopTraining(id, keep) {
      const { model, variants } = getState();
      const training = known(id);
      if (!model || !training) return;
      const shown = selectionOf(getState());
      await tasks.command('retrain', async () => {
        await lab.stopTraining(id, { keep });
        await Promise.all([readTrainings(), refreshVariants(context)]);
        const made = keep ? madeBy(training, variants, getState().variants) : null;
        if (!made || getState().model !== model) return;
        const { request, losses, evaluations } = training;
        const ended = { variant: made.id, name: made.name, parent: training.variant, request, losses, evaluations };
        if (getState().trained.every(({ variant }) => variant !== made.id)) note(ended);
        // The call of a training that ran shows its variant by itself; an interrupted one has no call.
        if (training.phase === 'interrupted' || training.phase === 'failed') await present(model, [made], shown);
      });
    },
  };
  return { commands, steps: { readTrainings, trainOne, resumeOne, measureRows } };
}
