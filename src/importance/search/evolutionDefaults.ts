/** @file What an evolutionary search does where nothing else is asked for: small, since the page shows it too. */
import type { LayerShape } from '../../model/shape';
import { unitAt, unitIndices } from '../numbering';
import type { Barriers, SearchUnit } from '../types';

export const noBarriers: Barriers = { first: 0, last: 0 };
export const defaultOffspring = 16;

/** Units that a search may remove: those that the base has between the barriers, without protected blocks. */
export function unitPool(
  layers: readonly LayerShape[],
  unit: SearchUnit,
  { first, last }: Barriers,
  protectedBlocks: readonly number[],
): number[] {
  return unitIndices(layers, unit).filter((index) => {
    const { layer } = unitAt(unit, index);
    return layer >= first && layer < layers.length - last && !protectedBlocks.includes(layer);
  });
}

/** Most units of a pool that may go: one of the model's has to stay, or nothing would be left of it. */
export function mostUnits(layers: readonly LayerShape[], unit: SearchUnit, pool: number): number {
  const all = unit === 'block' ? layers.length : unitIndices(layers, 'half').length;
  return Math.min(pool, all - 1);
}

/** A quarter of the pool. */
export function defaultCount(pool: number, most: number): number {
  return Math.max(1, Math.min(most, Math.round(pool / 4)));
}

/** As many generations as EvoPress takes for sets of `count` out of so many. */
export function defaultGenerations(count: number, pool: number): number {
  return Math.max(0, Math.ceil((count * (pool - count)) / 1.5));
}

/** Sets that go on to the last stage. */
export function defaultSurvivors(offspring: number): number {
  return Math.max(1, Math.round(offspring / 4));
}

/** Tokens of the first stage. */
export function defaultFirstTokens(total: number): number {
  return Math.ceil(total / 4);
}
