/** @file Plan → shape. Weights stay where they are: each remaining layer names its source block. */
import { modelParameters } from '../model/count';
import type { ModelShape } from '../model/shape';
import { removeUnits } from '../model/unit';
import { type PruningPlan, unitsOf } from './plan';

/** The shape that remains of `base`, the model that the plan's indices belong to. */
export function applyPlan(base: ModelShape, plan: PruningPlan): ModelShape {
  return removeUnits(base, unitsOf(plan));
}

/** Parameters that remain, and the share of all parameters that was removed (0…1). */
export function estimate(base: ModelShape, remaining: ModelShape): { parameters: number; ratio: number } {
  const parameters = modelParameters(remaining);
  return { parameters, ratio: 1 - parameters / modelParameters(base) };
}
