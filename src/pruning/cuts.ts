/** @file Plan → weights: the rows and columns of the base that a plan keeps, read from the base's when they are needed. */
import { type LayerRole, layerRoles, type ModelShape } from '../model/shape';
import type { WeightSource } from '../model/weights';
import { type Cut, sliced } from '../weights/sliced';
import { applyPlan } from './apply';
import { keptOf, type PruningPlan } from './plan';

/** A model without an id: what a view adds one to. */
export interface Weighted {
  readonly shape: ModelShape;
  readonly weights: WeightSource;
}

/** The channels of heads. */
const channelsOf = (heads: readonly number[], headDim: number): number[] =>
  heads.flatMap((head) => Array.from({ length: headDim }, (_, channel) => head * headDim + channel));

/** Which rows and columns of the base's weights stay, for every weight of which not all do. */
export function cutsOf(base: ModelShape, plan: PruningPlan): Cut[] {
  const removed = (kind: 'attention' | 'mlp', layer: number) =>
    plan.removeBlocks.includes(layer) || (kind === 'mlp' ? plan.removeMlp : plan.removeAttention).includes(layer);
  return base.layers.flatMap((layer, index): Cut[] => {
    const { source, headDim } = layer;
    const roles = new Set(layerRoles(layer));
    const cut = (names: readonly LayerRole[], axis: 'rows' | 'columns', indices: readonly number[]): Cut[] =>
      names.filter((role) => roles.has(role)).map((role) => ({ role, source, [axis]: indices }));
    const heads = removed('attention', index) ? null : keptOf(plan, 'keepHeads', index);
    const neurons = removed('mlp', index) ? null : keptOf(plan, 'keepNeurons', index);
    const cuts: Cut[] = [];
    if (heads !== null) {
      const perGroup = layer.heads / layer.kvHeads;
      const groups = [...new Set(heads.map((head) => Math.floor(head / perGroup)))];
      const queries = channelsOf(heads, headDim);
      cuts.push(...cut(['qProj', 'qBias'], 'rows', queries), ...cut(['oProj'], 'columns', queries));
      if (groups.length < layer.kvHeads) {
        cuts.push(...cut(['kProj', 'kBias', 'vProj', 'vBias'], 'rows', channelsOf(groups, headDim)));
      }
    }
    if (neurons !== null) {
      cuts.push(...cut(['gateProj', 'gateBias', 'upProj', 'upBias'], 'rows', neurons));
      cuts.push(...cut(['downProj'], 'columns', neurons));
    }
    return cuts;
  });
}

/** The shape and the weights that a plan leaves of the base. Nothing is copied. */
export function pruned(base: Weighted, plan: PruningPlan): Weighted {
  const cuts = cutsOf(base.shape, plan);
  return {
    shape: applyPlan(base.shape, plan),
    weights: cuts.length === 0 ? base.weights : sliced(base.weights, cuts),
  };
}
