/** @file How much of each block stays, as two numbers: key/value groups and neurons. Which of them stay is told by scores. */
import { headGroups, whyHeadsStay } from '../../model/headStructures';
import type { LayerShape, ModelShape } from '../../model/shape';
import { type DepthUnit, removeFromLayers } from '../../model/unit';
import { type KeptByLayer, type PruningPlan, planOfUnits } from '../plan';

/** What stays of a block. Both 0: the block is removed. */
export interface BlockSizes {
  /** Key/value heads, each with the query heads that read it. 0: no attention. */
  readonly groups: number;
  /** Neurons. 0: no MLP. */
  readonly ffn: number;
}

/** What a search may remove. */
export const sizeUnits = ['block', 'attention', 'mlp', 'kvGroup', 'neuron'] as const;
export type SizeUnit = (typeof sizeUnits)[number];

/** Sizes between nothing and all that a search looks at: finer steps cost time and hardly change the result. */
const mostSteps = 16;

/** What a whole block of the base has. */
export const sizesOf = ({ kvHeads, ffn }: LayerShape): BlockSizes => ({ groups: kvHeads, ffn });

/** Neurons that stay are a multiple of this: 8, 16, 32 or 64 by the MLP's size, times a whole number for large MLPs. */
export function neuronStep(ffn: number): number {
  const multiple = ffn < 256 ? 8 : ffn < 1024 ? 16 : ffn < 4096 ? 32 : 64;
  return multiple * Math.ceil(ffn / mostSteps / multiple);
}

/** The multiples of a step below `all`, the largest first. */
function multiplesBelow(all: number, step: number): number[] {
  const count = Math.ceil(all / step) - 1;
  return Array.from({ length: Math.max(0, count) }, (_, at) => (count - at) * step);
}

/** What may stay of a block of the base if only these units are removed; the whole block first. */
export function sizeOptions(layer: LayerShape, units: readonly SizeUnit[]): BlockSizes[] {
  const { kvHeads, ffn } = layer;
  const may = (unit: SizeUnit) => units.includes(unit);
  const single = may('kvGroup') && whyHeadsStay(layer) === null;
  const groups = [kvHeads, ...(single ? multiplesBelow(kvHeads, Math.ceil(kvHeads / mostSteps)) : [])];
  const neurons = [ffn, ...(may('neuron') ? multiplesBelow(ffn, neuronStep(ffn)) : [])];
  if (kvHeads > 0 && may('attention')) groups.push(0);
  if (ffn > 0 && may('mlp')) neurons.push(0);
  const both = groups.flatMap((kept) => neurons.map((count) => ({ groups: kept, ffn: count })));
  const partial = both.filter((sizes) => sizes.groups > 0 || sizes.ffn > 0);
  return may('block') || partial.length < both.length ? [...partial, { groups: 0, ffn: 0 }] : partial;
}

/** What stays of a layer of the base; null for a block that is removed. */
export function layerOfSizes(layer: LayerShape, { groups, ffn }: BlockSizes): LayerShape | null {
  const perGroup = layer.kvHeads === 0 ? 0 : layer.heads / layer.kvHeads;
  if (groups === 0 && ffn === 0) return null;
  const sized = { ...layer, ...(groups > 0 ? { heads: groups * perGroup, kvHeads: groups } : {}) };
  const units: DepthUnit[] = groups === 0 && layer.kvHeads > 0 ? [{ kind: 'attention', layer: 0 }] : [];
  if (ffn === 0 && layer.ffn > 0) units.push({ kind: 'mlp', layer: 0 });
  const [rest] = removeFromLayers([ffn > 0 ? { ...sized, ffn } : sized], units);
  return rest ?? null;
}

/** The shape that is left of a model whose blocks keep these sizes. */
export function shapeOfSizes(base: ModelShape, sizes: readonly BlockSizes[]): ModelShape {
  const layers = base.layers.flatMap((layer, index) => layerOfSizes(layer, sizes[index]!) ?? []);
  return { ...base, layers };
}

/** By block of the base: key/value groups and neurons, those to remove first in front. */
export interface RemovalOrder {
  readonly groups: readonly (readonly number[])[];
  readonly neurons: readonly (readonly number[])[];
}

/** The order in which the groups and neurons of every block stand; for models whose scores do not matter. */
export function naturalOrder(base: ModelShape): RemovalOrder {
  const upTo = (count: number) => Array.from({ length: count }, (_, index) => count - 1 - index);
  return {
    groups: base.layers.map(({ kvHeads }) => upTo(kvHeads)),
    neurons: base.layers.map(({ ffn }) => upTo(ffn)),
  };
}

/** The plan that leaves these sizes: of each block the groups and neurons that stand last in the order stay. */
export function planOfSizes(
  model: string,
  base: ModelShape,
  sizes: readonly BlockSizes[],
  order: RemovalOrder,
): PruningPlan {
  const units: DepthUnit[] = [];
  const keepHeads: (readonly number[] | null)[] = [];
  const keepNeurons: (readonly number[] | null)[] = [];
  for (const [index, layer] of base.layers.entries()) {
    const { groups, ffn } = sizes[index]!;
    const heads = headGroups(layer);
    const last = (list: readonly number[], count: number) => list.slice(list.length - count);
    if (groups === 0 && ffn === 0) units.push({ kind: 'block', layer: index });
    else if (groups === 0 && layer.kvHeads > 0) units.push({ kind: 'attention', layer: index });
    else if (ffn === 0 && layer.ffn > 0) units.push({ kind: 'mlp', layer: index });
    const partHeads = groups > 0 && groups < layer.kvHeads;
    keepHeads.push(partHeads ? last(order.groups[index]!, groups).flatMap((group) => heads[group]!) : null);
    keepNeurons.push(ffn > 0 && ffn < layer.ffn ? last(order.neurons[index]!, ffn) : null);
  }
  const width: { keepHeads: KeptByLayer; keepNeurons: KeptByLayer } = { keepHeads, keepNeurons };
  return planOfUnits(model, units, width);
}
