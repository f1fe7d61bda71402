/**
 * @file How scores count units: by block, or, where both sub-blocks of a block have a number, the attention of block l is
 * 2 l and its MLP 2 l + 1. Pure.
 */
import type { LayerShape } from '../model/shape';
import { type DepthUnit, hasUnit } from '../model/unit';
import type { SearchUnit } from './types';

/** The unit of an index. */
export function unitAt(unit: SearchUnit, index: number): DepthUnit {
  if (unit !== 'half') return { kind: unit, layer: index };
  return { kind: index % 2 === 0 ? 'attention' : 'mlp', layer: index >> 1 };
}

/** The index of a unit: the inverse of `unitAt`. */
export function indexOf(unit: SearchUnit, { layer, kind }: DepthUnit): number {
  return unit === 'half' ? 2 * layer + (kind === 'mlp' ? 1 : 0) : layer;
}

/** How many indices a model of so many blocks has. */
export function unitCount(layers: number, unit: SearchUnit): number {
  return unit === 'half' ? 2 * layers : layers;
}

/** Every index whose unit the layers have. A checkpoint may lack a sub-block from the start. */
export function unitIndices(layers: readonly LayerShape[], unit: SearchUnit): number[] {
  const all = Array.from({ length: unitCount(layers.length, unit) }, (_, index) => index);
  return all.filter((index) => hasUnit(layers, unitAt(unit, index)));
}
