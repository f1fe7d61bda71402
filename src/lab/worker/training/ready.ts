/** @file A training made ready for its next turn: its lock, what the storage knows of it, its rows, and the variant that it began with. */
import { LabError, throwIfAborted } from '../../../errors';
import { samePlan } from '../../../pruning/plan';
import { patchOf, sameWeights } from '../../../pruning/variant';
import type { TaskOptions } from '../../../task';
import type { Gpu } from '../gpu';
import type { Workspace } from '../workspace';
import { prepareAgain } from './prepared';
import { runOf, storedInput } from './record';
import type { TrainedVariant, TrainingRun } from './run';

/** A training is not in the storage any more. */
export class EndedElsewhere extends LabError {
  constructor(id: string) {
    super('not-found', `The training '${id}' has ended in another tab, or was removed.`, 'See lab.trainings().');
  }
}

export function sourceOf({ id, name, parent, plan, recipe }: TrainedVariant): TrainedVariant {
  return { id, name, parent, plan, recipe };
}

/** Makes a training this tab's. @throws LabError 'bad-argument' where another tab has it */
export async function own(run: TrainingRun): Promise<void> {
  if (run.unlock !== null) return;
  run.unlock = await run.checkpoints.holdLock();
  if (run.unlock !== null) return;
  throw new LabError(
    'bad-argument',
    `The training '${run.id}' runs or waits in another tab.`,
    'Go on with it there, or close that tab first.',
  );
}

/**
 * Has a training's variant, rows and lock ready for its next turn.
 * @param toTrain false where it only ends: without its text, if that is gone
 * @throws EndedElsewhere
 */
export async function makeReady(
  workspace: Workspace,
  gpu: Gpu,
  run: TrainingRun,
  task: TaskOptions,
  toTrain: boolean,
): Promise<void> {
  const fresh = run.unlock === null;
  await own(run);
  try {
    if (fresh) await readAgain(workspace, run);
    const { facts } = run;
    if (run.data === null) {
      const { seed, text, heldOutHash } = facts;
      const expected = { rows: text.hash, heldOut: heldOutHash };
      const request = { ...facts.request, seed };
      const data = prepareAgain(workspace, gpu, task, request, expected);
      run.data = await (toTrain ? data : data.catch(() => null));
    }
    run.facts = { ...facts, source: await sourceAgain(workspace, facts.source, task) };
    throwIfAborted(task.signal, 'The training');
  } catch (thrown) {
    if (fresh) {
      run.unlock?.();
      run.unlock = null;
    }
    throw thrown;
  }
}

/** What the storage knows of a training that no tab had until now. */
async function readAgain({ model }: Workspace, run: TrainingRun): Promise<void> {
  if (!run.stored) return;
  const stored = await model.trainings.find(model.info, run.id);
  if (stored === null) throw new EndedElsewhere(run.id);
  const { request, data } = await storedInput(stored);
  run.facts = { ...run.facts, request };
  run.data ??= data;
  const now = runOf(stored, () => run.checkpoints);
  if (now === null || (now.storedStep ?? 0) <= (run.checkpoint?.step ?? 0)) return;
  // Another tab went on with it for a while.
  run.checkpoint = now.checkpoint;
  run.storedStep = now.storedStep;
  run.record.losses.splice(0, Number.POSITIVE_INFINITY, ...now.record.losses);
  run.record.evaluations.splice(0, Number.POSITIVE_INFINITY, ...now.record.evaluations);
  run.rewind();
}

/** The variant that the training began with. One that has no tensors of its own is made again from its recipe. */
async function sourceAgain(
  { variants }: Workspace,
  source: TrainedVariant,
  task: TaskOptions,
): Promise<TrainedVariant> {
  const here = variants.list().find(({ id, plan, recipe, patchLost }) => {
    const same = samePlan(plan, source.plan) && sameWeights(recipe, source.recipe);
    return id === source.id && same && patchLost !== true;
  });
  if (here !== undefined) return sourceOf(here);
  if (patchOf(source.recipe) !== null) {
    throw new LabError(
      'not-found',
      `The variant '${source.name}' (${source.id}) that is trained is not stored any more.`,
      'Stop this training, and train another variant.',
    );
  }
  const { plan, recipe, name, parent } = source;
  const made = { plan, recipe, name, parent: parent ?? 'base', patch: null, justMade: false };
  return sourceOf(await variants.addMade(made, task));
}
