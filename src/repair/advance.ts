/** @file From one model to the next: what a plan removes beyond the model's own, what a repair or a patch gives it. */
import type { FittedTensor } from '../model/patchTensors';
import type { TokenSequences } from '../numerics/tokens';
import { planBeyond } from '../pruning/beyond';
import { withoutPatch, withPatch } from '../pruning/build';
import { pruned, type Weighted } from '../pruning/cuts';
import { type PruningPlan, samePlan } from '../pruning/plan';
import type { RepairMethod } from '../pruning/repairMethods';
import { type RepairText, rescalingsOf, type Step } from '../pruning/variant';
import type { TaskOptions } from '../task';
import { type CheckedPatch, checkPatch } from '../weights/patchFile';
import { rescaled } from '../weights/rescaled';
import { repairBy } from './repair';
import { carriedTensors, fileOf, joined } from './tensors';
import type { OpenModel, OwnTensor } from './types';

/** A model on its way: the base, a variant, or one between two steps that is not listed. */
export interface Draft {
  /** All that it lacks of the base. */
  readonly plan: PruningPlan;
  readonly recipe: readonly Step[];
  readonly model: Weighted;
  /** Its own tensors. */
  readonly own: readonly FittedTensor[];
}

/** What is done to a draft beside removing what the plan removes. */
export interface Change {
  readonly repair?:
    | {
        readonly method: RepairMethod;
        readonly sequences: TokenSequences;
        readonly text: RepairText;
        readonly open: OpenModel;
      }
    | undefined;
  /** Tensors from outside, in the dimensions that they have behind the plan. */
  readonly patch?: Blob | undefined;
}

/** A draft's next one, whose patch was not checked yet. */
export interface Next {
  readonly plan: PruningPlan;
  /** Without the facts of the patch, which belong to the last step. */
  readonly recipe: readonly Step[];
  /** All its own tensors; null without any. */
  readonly patch: Blob | null;
  /** The last step of the recipe was just made: the tensors come from it. */
  readonly justMade: boolean;
}

/**
 * Removes what `plan` removes beyond what the draft lacks, and changes the rest. The draft's own tensors go along: cut like the
 * others, with new factors, without those of what is gone.
 *
 * @throws LabError 'bad-plan' where the plan keeps what the draft lacks, and what the repair or the patch is refused for
 */
export async function advance(
  base: Weighted,
  from: Draft,
  plan: PruningPlan,
  { repair, patch }: Change,
  task: TaskOptions = {},
): Promise<Next> {
  const beyond = planBeyond(base.shape, from.plan, plan);
  const made =
    repair && (await repairBy(repair.method, { ...task, ...repair, base, before: from.model, plan: beyond }));
  const cut = pruned(from.model, beyond);
  const { tensors = [], rescalings = [] } = made ?? {};
  const after: Weighted =
    rescalings.length === 0 ? cut : { ...cut, weights: rescaled(cut.shape, cut.weights, rescalings) };
  const carried = await carriedTensors(from.own, after, task);
  const given = patch === undefined ? [] : await tensorsOfPatch(patch, base, after, task);
  const before: readonly Step[] = samePlan(from.plan, plan) ? from.recipe : [...from.recipe, { kind: 'prune', plan }];
  const factors = [...rescalingsOf(from.recipe), ...rescalings];
  const step: Step[] = repair
    ? [
        {
          ...{ kind: 'repair', method: repair.method, text: repair.text },
          ...(factors.length === 0 ? {} : { rescalings: factors }),
        },
      ]
    : [];
  return {
    plan,
    recipe: [...before, ...step],
    patch: fileOf(joined(joined(carried, tensors), given)),
    justMade: step.length > 0,
  };
}

/** A patch from outside, checked; tensors that change nothing are left out. */
async function tensorsOfPatch(patch: Blob, base: Weighted, parent: Weighted, task: TaskOptions): Promise<OwnTensor[]> {
  const { blob, fitted } = await checkPatch(patch, { base, parent }, task);
  return fitted.tensors.map(({ role, source, tensor: { name, dtype, dims, begin, end } }) => ({
    ...{ role, source, name, dtype, dims, data: blob.slice(begin, end) },
  }));
}

/** A draft from what `advance` made. */
export async function draftOf(base: Weighted, { plan, recipe, patch }: Next, task: TaskOptions): Promise<Draft> {
  const target = withoutPatch(base, plan, recipe);
  const checked: CheckedPatch | null =
    patch && (await checkPatch(patch, { base, parent: target }, { signal: task.signal }));
  return { plan, recipe, model: withPatch(target, checked), own: checked?.fitted.tensors ?? [] };
}
