/** @file Removes blocks one by one, with a repair and new scores after each. What lies between is not listed. */
import { LabError, throwIfAborted } from '../../errors';
import { checkOptions, measureScores } from '../../importance/measure';
import { type CriterionEntry, criterionOf, type ScoreEntry } from '../../importance/methods';
import { protectedBlocks, removalOrder } from '../../importance/order';
import { baseViewId } from '../../model/view';
import { describePlan } from '../../pruning/describe';
import { emptyPlan, planOfUnits } from '../../pruning/plan';
import { type RepairMethod, repairLabels } from '../../pruning/repairMethods';
import { advance, type Change, type Draft, draftOf, type Next } from '../../repair/advance';
import type { TaskOptions } from '../../task';
import type { IterateRequest, VariantInfo } from '../contract/types';
import type { Plain } from '../contract/workerSession';
import type { Gpu } from './gpu';
import { methodOf, repairOn, withEngine } from './repairing';
import type { Scoring } from './scoring';
import { overBase } from './variantScores';
import { calibrationOf, noData, type Workspace } from './workspace';

export async function iterate(
  workspace: Workspace,
  gpu: Gpu,
  _scoring: Scoring,
  task: TaskOptions,
  { criterion, count, repair = 'prune-and-comp', plus = false, name }: Plain<IterateRequest>,
): Promise<VariantInfo> {
  const record = criterionOf(criterion);
  if (record.kind !== 'score') throw noSearch(record);
  checkOptions(record, {});
  const method = methodOf(repair);
  if (method === 'flap-bias') throw noWidth();
  const { id, shape } = workspace.model.info;
  const kept = plus ? protectedBlocks(shape.layers.length) : [];
  const most = plus ? shape.layers.length - kept.length : shape.layers.length - 1;
  if (count > most) throw tooMany(most, count, plus);
  const base = workspace.variants.view(baseViewId);
  return gpu.tuning.undisturbed(async () => {
    const change: Change = { repair: method === null ? undefined : await repairOn(workspace, gpu, method, task) };
    let draft: Draft = { plan: emptyPlan(id), recipe: [], model: base, own: [] };
    let next: Next | null = null;
    const removed: number[] = [];
    for (let step = 0; step < count; step++) {
      if (next !== null) draft = await draftOf(base, next, task);
      const on = { ...task, onProgress: stepProgress(task, step, count) };
      const scores = await scoresOf(workspace, gpu, record, draft, on);
      throwIfAborted(task.signal, 'The iteration');
      const [first] = removalOrder(scores, kept);
      if (first === undefined) throw noNumbers(record, step);
      removed.push(first);
      const plan = planOfUnits(
        id,
        removed.map((layer) => ({ kind: 'block', layer })),
      );
      // Factors before a cut at the end change nothing: the final norm undoes them.
      const atTheEnd = draft.model.shape.layers.at(-1)!.source === shape.layers[first]!.source;
      next = await advance(base, draft, plan, atTheEnd && method === 'prune-and-comp' ? {} : change, on);
    }
    const called = name ?? nameOf(describePlan(next!.plan, shape), record, method);
    return workspace.variants.addMade({ ...next!, name: called, parent: baseViewId }, task);
  }, task.signal);
}

/** Of every block of the base; NaN for those that the draft lacks. */
async function scoresOf(
  workspace: Workspace,
  gpu: Gpu,
  record: ScoreEntry,
  { model }: Draft,
  task: TaskOptions,
): Promise<number[]> {
  const { sequences, info } =
    record.needs === 'gpu' ? await calibrationOf(workspace, task) : (workspace.calibration ?? noData);
  const { shape, weights } = model;
  const setting = { ...task, shape, weights, sequences, unit: 'block', span: 1, seed: info.seed } as const;
  const { scores } =
    record.needs === 'nothing'
      ? await measureScores(record, { ...setting, probe: null })
      : await withEngine(gpu, model, ({ engine }) => measureScores(record, { ...setting, probe: engine }), task);
  return overBase(workspace.model.info.shape, shape, 'block', scores);
}

/** Says which of the blocks is removed, in front of what is done for it. */
function stepProgress({ onProgress }: TaskOptions, step: number, count: number): TaskOptions['onProgress'] {
  return (progress) => onProgress?.({ ...progress, stage: `block ${step + 1} of ${count}: ${progress.stage}` });
}

function nameOf(plan: string, { label }: CriterionEntry, method: RepairMethod | null): string {
  const repaired = method === null ? '' : `, repaired by ${repairLabels[method]}`;
  return `${plan}, one by one by ${label}${repaired}`;
}

function noSearch({ id }: CriterionEntry): LabError {
  return new LabError(
    'not-available',
    `criterion: expected one that scores every block once, got the search '${id}', which removes blocks step by step itself.`,
    "Use 'ppl', which scores the model anew after each removal, as a greedy search does.",
  );
}

function noWidth(): LabError {
  return new LabError(
    'bad-argument',
    "repair: whole blocks are removed one by one, and 'flap-bias' repairs heads and neurons.",
    "Use 'prune-and-comp', 'replace-me' or 'none'.",
  );
}

function tooMany(most: number, count: number, plus: boolean): LabError {
  const rule = plus ? 'blocks that the + rule does not protect' : 'blocks but one';
  return new LabError(
    'bad-argument',
    `count: expected 1 to ${most} (all ${rule}), got ${count}.`,
    'Remove fewer blocks.',
  );
}

function noNumbers({ id }: CriterionEntry, step: number): LabError {
  return new LabError(
    'non-finite',
    `After ${step} removed blocks no score by '${id}' is a number.`,
    'Remove fewer blocks, or use another criterion.',
  );
}
