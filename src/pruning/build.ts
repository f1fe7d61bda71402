/**
 * @file Recipe → shape and weights. Whatever the order of its steps, a variant is: the rows and columns of the base that its plan
 * keeps, multiplied by the factors of its repairs, under the tensors of its own.
 */
import { patched } from '../weights/patched';
import type { CheckedPatch } from '../weights/patchFile';
import { rescaled } from '../weights/rescaled';
import { pruned, type Weighted } from './cuts';
import type { PruningPlan } from './plan';
import { rescalingsOf, type Step } from './variant';

/** A variant without the tensors of its own. `cut` is the pruned base, where that was made before. */
export function withoutPatch(
  base: Weighted,
  plan: PruningPlan,
  recipe: readonly Step[],
  cut: Weighted = pruned(base, plan),
): Weighted {
  const factors = rescalingsOf(recipe);
  return factors.length === 0 ? cut : { ...cut, weights: rescaled(cut.shape, cut.weights, factors) };
}

/** A variant with the tensors of its own, where it has some. */
export function withPatch(parent: Weighted, patch: CheckedPatch | null): Weighted {
  return patch ? patched(parent.weights, patch, patch.fitted) : parent;
}
