/** @file Units of a model as a search counts them, and a model without some of them. */
import type { LayerShape } from '../../model/shape';
import type { SearchUnit } from '../types';
import type { ModelUnit } from './found';

/** A layer without one of its parts; null when nothing of it is left. */
export function without(layer: LayerShape, part: ModelUnit['part']): LayerShape | null {
  const rest = part === 'attention' ? { ...layer, heads: 0, kvHeads: 0 } : { ...layer, ffn: 0 };
  return part === 'block' || (rest.heads === 0 && rest.ffn === 0) ? null : rest;
}

/** The layers that remain without the given units, which count in the whole list. */
export function withoutUnits(layers: readonly LayerShape[], units: readonly ModelUnit[]): LayerShape[] {
  return layers.flatMap((layer, index) => {
    const removed = units.filter((unit) => unit.layer === index);
    const rest = removed.reduce<LayerShape | null>((left, { part }) => left && without(left, part), layer);
    return rest ? [rest] : [];
  });
}

/** The unit of an index: a block, or of halves the attention of block l at 2 l and its MLP at 2 l + 1. */
export function unitAt(unit: SearchUnit, index: number): ModelUnit {
  if (unit !== 'half') return { layer: index, part: unit };
  return { layer: index >> 1, part: index % 2 === 0 ? 'attention' : 'mlp' };
}

/** The index of a unit: the reverse of `unitAt`. */
export function indexOf(unit: SearchUnit, { layer, part }: ModelUnit): number {
  return unit === 'half' ? 2 * layer + (part === 'mlp' ? 1 : 0) : layer;
}

/** Units that scores and order count. */
export function unitCount(layers: readonly LayerShape[], unit: SearchUnit): number {
  return unit === 'half' ? 2 * layers.length : layers.length;
}

/** Every index that a model has such a unit at; a sub-block that the checkpoint itself lacks is none. */
export function unitIndices(layers: readonly LayerShape[], unit: SearchUnit): number[] {
  const all = Array.from({ length: unitCount(layers, unit) }, (_, index) => index);
  return all.filter((index) => {
    const { layer, part } = unitAt(unit, index);
    const { heads, ffn } = layers[layer]!;
    return part === 'block' || (part === 'attention' ? heads : ffn) > 0;
  });
}
