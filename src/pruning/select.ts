/** @file Order + budget → plan. Pure: the numbers were measured elsewhere. */
import { LabError } from '../errors';
import type { Criterion } from '../importance/methods';
import type { SearchStep } from '../importance/search/found';
import { modelParameters } from '../model/count';
import type { ModelShape } from '../model/shape';
import { type DepthKind, type UnitJson, unitOfJson, unitParameters } from '../model/unit';
import { type PruningPlan, planOfUnits } from './plan';

/** The plan that removes units of one kind. */
export function planOf(model: string, kind: DepthKind, layers: readonly number[]): PruningPlan {
  return planOfUnits(
    model,
    layers.map((layer) => ({ kind, layer })),
  );
}

/** The plan that removes the units that a search removed. */
export function planOfSteps(model: string, steps: readonly UnitJson[]): PruningPlan {
  return planOfUnits(model, steps.map(unitOfJson));
}

/**
 * How many of the first units, which save `savings` parameters each, to remove so that the removed share of `total`
 * comes closest to `ratio`. Of two equally close counts the smaller one.
 */
function closestCount(savings: readonly number[], total: number, ratio: number): number {
  if (!(ratio >= 0 && ratio < 1)) {
    throw new LabError(
      'bad-argument',
      `ratio: expected 0 ≤ ratio < 1, got ${ratio}.`,
      'Set ratio to the share of parameters to remove.',
    );
  }
  let removed = 0;
  let best = { count: 0, distance: ratio };
  savings.forEach((saving, position) => {
    removed += saving / total;
    const distance = Math.abs(removed - ratio);
    if (distance < best.distance - 1e-12) best = { count: position + 1, distance };
  });
  return best.count;
}

/** How many of `order`'s first units come closest to the ratio; one block always stays. */
export function countForRatio(shape: ModelShape, kind: DepthKind, order: readonly number[], ratio: number): number {
  const removable = kind === 'block' ? order.slice(0, shape.layers.length - 1) : order;
  const savings = removable.map((layer) => unitParameters(shape, { kind, layer }));
  return closestCount(savings, modelParameters(shape), ratio);
}

/** The first steps of a search that come closest to the ratio. */
export function stepsForRatio(shape: ModelShape, steps: readonly SearchStep[], ratio: number): SearchStep[] {
  const savings = steps.map((step) => unitParameters(shape, unitOfJson(step)));
  return steps.slice(0, closestCount(savings, modelParameters(shape), ratio));
}

/** What a proposal needs of scores. */
export interface Ranking {
  readonly criterion: Criterion;
  /** Unit indices, the one to remove first in front. */
  readonly order: readonly number[];
  /** Consecutive blocks per score. */
  readonly window: number;
  /** Scores that are not a number have no place in the order. */
  readonly scores?: readonly number[];
}

/** The first `count` units of a ranking's order; with a window (angular) the best span of `window` blocks. */
export function selectUnits(scores: Ranking, count: number): number[] {
  const { order, window: span } = scores;
  const broken = scores.scores?.filter(Number.isNaN).length ?? 0;
  if (span > 1) {
    if (count !== span) {
      const message = `count: expected ${span} (each score is for a span of ${span} consecutive blocks), got ${count}.`;
      throw new LabError('bad-argument', message, 'Measure the angular distance with window = count.');
    }
    const start = order[0];
    if (start === undefined) throw broken > 0 ? notNumbers(scores.criterion, broken, 0, count) : tooMany(0, count);
    return Array.from({ length: span }, (_, offset) => start + offset);
  }
  if (broken > 0 && count > order.length) throw notNumbers(scores.criterion, broken, order.length, count);
  if (!Number.isInteger(count) || count < 0 || count > order.length) throw tooMany(order.length, count);
  return order.slice(0, count);
}

function notNumbers(criterion: string, broken: number, left: number, count: number): LabError {
  return new LabError(
    'non-finite',
    `count: ${broken} of the scores by '${criterion}' are not numbers, so only ${left} units can be ordered, got ${count}.`,
    'Measure the perplexity of the model: it tells you where a value is not finite.',
  );
}

function tooMany(removable: number, count: number): LabError {
  return new LabError(
    'bad-argument',
    `count: expected a whole number from 0 to ${removable} (units that may be removed), got ${count}.`,
    'Remove fewer units, or measure without the + rule.',
  );
}
