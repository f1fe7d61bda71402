/** @file Plan → shape. Weights stay where they are: each remaining layer names its source block. */
import { modelParameters } from '../model/count';
import type { ModelShape } from '../model/shape';
import type { PruningPlan } from './plan';

/** The shape that remains of `shape`, the whole model that the plan's indices belong to. */
export function applyPlan(shape: ModelShape, plan: PruningPlan): ModelShape {
  const blocks = new Set(plan.removeBlocks);
  const attention = new Set(plan.removeAttention);
  const mlp = new Set(plan.removeMlp);
  const layers = shape.layers.flatMap((layer, index) => {
    if (blocks.has(index)) return [];
    const kept = attention.has(index) ? { ...layer, heads: 0, kvHeads: 0 } : layer;
    return [mlp.has(index) ? { ...kept, ffn: 0 } : kept];
  });
  return { ...shape, layers };
}

/** Parameters that remain and the share of all parameters that is gone (0…1). */
export function estimate(whole: ModelShape, remaining: ModelShape): { parameters: number; ratio: number } {
  const parameters = modelParameters(remaining);
  return { parameters, ratio: 1 - parameters / modelParameters(whole) };
}
