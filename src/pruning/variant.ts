/** @file A variant: a model made from another one by steps that can be told, with weights of its own where a step changed them. */
import type { ModelView } from '../model/view';
import type { PruningPlan } from './plan';

/** One tensor of a patch: what replaces a tensor of the parent, or a bias that the parent lacks. */
export interface PatchedTensor {
  /** Hugging Face name in the checkpoint: block indices are those of the base. */
  readonly name: string;
  readonly dtype: string;
  readonly dims: readonly number[];
}

/** What was done to a parent. */
export type Step =
  | { readonly kind: 'prune'; readonly plan: PruningPlan }
  | {
      readonly kind: 'patch';
      /** Hexadecimal SHA-256 of the patch's file: tells two patches of the same tensors apart. */
      readonly sha256: string;
      /** Size of the file. */
      readonly bytes: number;
      readonly tensors: readonly PatchedTensor[];
    };

export interface Variant {
  /** Never given to another variant of the same stored model. The view has the same id. */
  readonly id: string;
  readonly name: string;
  /** Id of the variant that it was made from; null for the base. */
  readonly parent: string | null;
  /** From the base to this variant, in the order in which it was done. */
  readonly recipe: readonly Step[];
  readonly view: ModelView;
}

/** The step that gave a variant its own weights; null for one that has the base's. */
export function patchOf(recipe: readonly Step[]): Extract<Step, { kind: 'patch' }> | null {
  return recipe.findLast((step) => step.kind === 'patch') ?? null;
}

/** The recipe of a plan that is applied to the base. */
export function recipeOf(plan: PruningPlan): Step[] {
  const removed = plan.removeBlocks.length + plan.removeAttention.length + plan.removeMlp.length;
  return removed === 0 ? [] : [{ kind: 'prune', plan }];
}
