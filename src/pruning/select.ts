/** @file Order + budget → plan. Pure: the numbers were measured elsewhere. */
import { LabError } from '../errors';
import type { Scores, Unit } from '../importance/types';
import { layerParameters, modelParameters } from '../model/count';
import type { ModelShape } from '../model/shape';
import { emptyPlan, normalizePlan, type PruningPlan } from './plan';

/** A plan that removes the given units. */
export function planOf(model: string, unit: Unit, indices: readonly number[]): PruningPlan {
  const empty = emptyPlan(model);
  switch (unit) {
    case 'block':
      return normalizePlan({ ...empty, removeBlocks: indices });
    case 'attention':
      return normalizePlan({ ...empty, removeAttention: indices });
    case 'mlp':
      return normalizePlan({ ...empty, removeMlp: indices });
    default:
      return unit satisfies never;
  }
}

/** Parameters that removing one unit of a block saves. */
function unitParameters(shape: ModelShape, unit: Unit, index: number): number {
  const layer = shape.layers[index]!;
  if (unit === 'attention') return layerParameters(shape, { ...layer, ffn: 0 });
  if (unit === 'mlp') return layerParameters(shape, { ...layer, heads: 0, kvHeads: 0 });
  return layerParameters(shape, layer);
}

/**
 * How many of `order`'s first units to remove so that the removed share of all parameters comes closest to `ratio`.
 * Of two equally close counts the smaller one.
 */
export function countForRatio(shape: ModelShape, unit: Unit, order: readonly number[], ratio: number): number {
  if (!(ratio >= 0 && ratio < 1)) {
    throw new LabError(
      'bad-argument',
      `ratio: expected 0 ≤ ratio < 1, got ${ratio}.`,
      'Give the share of parameters to remove.',
    );
  }
  const total = modelParameters(shape);
  let removed = 0;
  let best = { count: 0, distance: ratio };
  order.forEach((index, position) => {
    removed += unitParameters(shape, unit, index) / total;
    const distance = Math.abs(removed - ratio);
    const count = position + 1;
    if (distance < best.distance - 1e-12 && count < shape.layers.length) best = { count, distance };
  });
  return best.count;
}

/** The first `count` units of a score's order; with a window (angular) the best run of `window` blocks. */
export function selectUnits(scores: Pick<Scores, 'order' | 'window' | 'criterion'>, count: number): number[] {
  const { order, window } = scores;
  if (window > 1) {
    if (count !== window) {
      const message = `count: expected ${window} (the scores are for runs of ${window} consecutive blocks), got ${count}.`;
      throw new LabError('bad-argument', message, 'Measure the angular distance with window = count.');
    }
    const start = order[0];
    if (start === undefined) throw tooMany(0, count);
    return Array.from({ length: window }, (_, offset) => start + offset);
  }
  if (!Number.isInteger(count) || count < 0 || count > order.length) throw tooMany(order.length, count);
  return order.slice(0, count);
}

function tooMany(removable: number, count: number): LabError {
  return new LabError(
    'bad-argument',
    `count: expected a whole number from 0 to ${removable} (units that may be removed), got ${count}.`,
    'Remove fewer units, or measure without the + rule.',
  );
}
