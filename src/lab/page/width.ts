/** @file Edits of single heads and neurons of a plan, and how many of them stay. Pure. */
import { headGroups, whyHeadsStay } from '../../model/headStructures';
import type { LayerShape, ModelShape } from '../../model/shape';
import { type KeptByLayer, type KeptWidth, keptOf, type PruningPlan, planOfUnits, unitsOf } from '../../pruning/plan';

/** An edited plan, or why the edit is impossible, as a sentence. */
export type Edit = { readonly plan: PruningPlan } | { readonly reason: string };

/** Single query heads of one key/value head can be removed by themselves; otherwise whole groups. */
export type HeadKind = 'head' | 'kvGroup';

const all = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** Whether one click removes a query head or a key/value head with its query heads. */
export function headKind({ heads, kvHeads }: Pick<LayerShape, 'heads' | 'kvHeads'>): HeadKind {
  return kvHeads === 1 || kvHeads === heads ? 'head' : 'kvGroup';
}

/** The query heads that one click removes, by its position in the attention. */
export function headUnits(layer: Pick<LayerShape, 'heads' | 'kvHeads'>): number[][] {
  return layer.kvHeads === 1 ? all(layer.heads).map((head) => [head]) : headGroups(layer);
}

/** Whether a plan removes an attention or an MLP as a whole, by itself or with its block. */
export function isRemoved(plan: PruningPlan, kind: 'attention' | 'mlp', layer: number): boolean {
  const list = kind === 'mlp' ? plan.removeMlp : plan.removeAttention;
  return plan.removeBlocks.includes(layer) || list.includes(layer);
}

/** The query heads of a layer that stay. */
export function keptHeads(plan: PruningPlan, { heads }: Pick<LayerShape, 'heads'>, layer: number): readonly number[] {
  return isRemoved(plan, 'attention', layer) ? [] : (keptOf(plan, 'keepHeads', layer) ?? all(heads));
}

/** How many neurons of a layer stay. */
export function keptNeurons(plan: PruningPlan, { ffn }: Pick<LayerShape, 'ffn'>, layer: number): number {
  return isRemoved(plan, 'mlp', layer) ? 0 : (keptOf(plan, 'keepNeurons', layer)?.length ?? ffn);
}

/** The plan with another list for one layer; null: all of them stay. */
function withList(
  plan: PruningPlan,
  { layers }: Pick<ModelShape, 'layers'>,
  list: keyof KeptWidth,
  layer: number,
  kept: readonly number[] | null,
): PruningPlan {
  const lists: KeptByLayer = layers.map((_, index) => (index === layer ? kept : keptOf(plan, list, index)));
  return planOfUnits(plan.model, unitsOf(plan), { ...plan, [list]: lists });
}

/**
 * Removes or restores the heads of one unit (`headUnits`). Restored is as many heads as the other units have, the ones with the
 * highest scores: a runtime needs equally many query heads for each key/value head.
 */
export function withHeadsToggled(
  plan: PruningPlan,
  shape: Pick<ModelShape, 'layers'>,
  layer: number,
  unit: number,
  scores: readonly number[] | null = null,
): Edit {
  const sizes = shape.layers[layer];
  const heads = sizes && headUnits(sizes)[unit];
  if (!heads || isRemoved(plan, 'attention', layer)) return { reason: `Block ${layer} has no such head left.` };
  const why = whyHeadsStay(sizes);
  if (why !== null) return { reason: `No single head of block ${layer} can be removed: ${why}` };
  const kept = keptHeads(plan, sizes, layer);
  const others = kept.filter((head) => !heads.includes(head));
  if (others.length < kept.length) {
    if (others.length === 0) return { reason: lastHeads(layer, headKind(sizes)) };
    return { plan: withList(plan, shape, 'keepHeads', layer, others) };
  }
  const perUnit = Math.max(...headUnits(sizes).map((each) => each.filter((head) => kept.includes(head)).length));
  const restored = bestFirst(heads, scores).slice(0, perUnit);
  const now = [...others, ...restored].sort((a, b) => a - b);
  return { plan: withList(plan, shape, 'keepHeads', layer, now.length === sizes.heads ? null : now) };
}

function lastHeads(layer: number, kind: HeadKind): string {
  const what = kind === 'head' ? 'head' : 'KV group';
  return `This is the last ${what} of block ${layer}, and it stays. To remove the whole attention, change to “Attention / MLP”.`;
}

/** Indices by descending score; without scores as they are. A score that is not a number counts as the highest. */
function bestFirst(indices: readonly number[], scores: ArrayLike<number> | null): number[] {
  const score = (index: number): number => {
    const value = scores?.[index] ?? 0;
    return Number.isNaN(value) ? Number.POSITIVE_INFINITY : value;
  };
  return indices.toSorted((a, b) => {
    const [first, second] = [score(a), score(b)];
    return first === second ? b - a : second - first;
  });
}

/**
 * Keeps `count` neurons of a layer, one at least: of those that stay, the lowest-scored are removed first, of the others the
 * highest-scored are restored first.
 */
export function withNeurons(
  plan: PruningPlan,
  shape: Pick<ModelShape, 'layers'>,
  layer: number,
  count: number,
  scores: ArrayLike<number>,
): PruningPlan | null {
  const sizes = shape.layers[layer];
  if (!sizes || isRemoved(plan, 'mlp', layer) || sizes.ffn === 0) return null;
  const target = Math.min(sizes.ffn, Math.max(1, Math.round(count)));
  const kept = new Set(keptOf(plan, 'keepNeurons', layer) ?? all(sizes.ffn));
  const staying = bestFirst([...kept], scores).slice(0, target);
  const removed = all(sizes.ffn).filter((neuron) => !kept.has(neuron));
  const restored = bestFirst(removed, scores).slice(0, target - staying.length);
  const now = [...staying, ...restored].sort((a, b) => a - b);
  return withList(plan, shape, 'keepNeurons', layer, now.length === sizes.ffn ? null : now);
}

/** Neurons that one press of + or − changes: about a twentieth of the MLP or less, in multiples that hardware likes. */
export function neuronStep(ffn: number): number {
  return [256, 128, 64, 32, 16, 8].find((step) => step <= ffn / 20) ?? 1;
}

/** Of all the model: how many stay, and how many there were. */
export interface Remaining {
  readonly kept: number;
  readonly total: number;
}

/** What stays of all heads, all key/value heads and all neurons; removed blocks and sub-blocks count as removed. */
export function remaining(
  plan: PruningPlan,
  { layers }: Pick<ModelShape, 'layers'>,
): { heads: Remaining; kvHeads: Remaining; neurons: Remaining } {
  const sum = (each: (layer: LayerShape, index: number) => number): number =>
    layers.reduce((total, layer, index) => total + each(layer, index), 0);
  const groups = (layer: LayerShape, index: number): number =>
    new Set(keptHeads(plan, layer, index).map((head) => Math.floor((head * layer.kvHeads) / layer.heads))).size;
  return {
    heads: { kept: sum((layer, index) => keptHeads(plan, layer, index).length), total: sum(({ heads }) => heads) },
    kvHeads: { kept: sum(groups), total: sum(({ kvHeads }) => kvHeads) },
    neurons: { kept: sum((layer, index) => keptNeurons(plan, layer, index)), total: sum(({ ffn }) => ffn) },
  };
}
