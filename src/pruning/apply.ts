/** @file Plan → shape. Weights stay where they are: each remaining layer names its source block. */
import { modelParameters } from '../model/count';
import type { ModelShape } from '../model/shape';
import { removeUnits } from '../model/unit';
import { type PruningPlan, unitsOf } from './plan';

/** The shape that remains of `base`, the model that the plan's indices belong to. */
export function applyPlan(base: ModelShape, plan: PruningPlan): ModelShape {
  return removeUnits(base, unitsOf(plan));
}

/** Parameters that remain, and the share of all parameters that was removed (0…1); biases that a variant adds count as none. */
export function estimate(base: ModelShape, remaining: ModelShape): { parameters: number; ratio: number } {
  const parameters = modelParameters(remaining);
  return { parameters, ratio: Math.max(0, 1 - parameters / modelParameters(base)) };
}
