/** @file Plan → shape. Weights stay where they are: each remaining layer names its source block. */
import { modelParameters } from '../model/count';
import type { LayerShape, ModelShape } from '../model/shape';
import { removeUnits } from '../model/unit';
import { keptOf, type PruningPlan, removesWidth, unitsOf } from './plan';

/** The sizes of a layer of the base that keeps these heads and neurons; null for all. */
function narrowed(layer: LayerShape, heads: readonly number[] | null, neurons: readonly number[] | null): LayerShape {
  const perGroup = layer.heads / layer.kvHeads;
  const groups = heads === null ? layer.kvHeads : new Set(heads.map((head) => Math.floor(head / perGroup))).size;
  return { ...layer, heads: heads?.length ?? layer.heads, kvHeads: groups, ffn: neurons?.length ?? layer.ffn };
}

/** The shape that remains of `base`, the model that the plan's indices belong to. The plan is in canonical form. */
export function applyPlan(base: ModelShape, plan: PruningPlan): ModelShape {
  if (!removesWidth(plan)) return removeUnits(base, unitsOf(plan));
  const layers = base.layers.map((layer, index) =>
    narrowed(layer, keptOf(plan, 'keepHeads', index), keptOf(plan, 'keepNeurons', index)),
  );
  return removeUnits({ ...base, layers }, unitsOf(plan));
}

/** Parameters that remain, and the share of all parameters that was removed (0…1); biases that a variant adds count as none. */
export function estimate(base: ModelShape, remaining: ModelShape): { parameters: number; ratio: number } {
  const parameters = modelParameters(remaining);
  return { parameters, ratio: Math.max(0, 1 - parameters / modelParameters(base)) };
}
