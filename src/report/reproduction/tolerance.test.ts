import { expect, test } from 'vitest';
import { createRandom } from '../../numerics/random';
import {
  compareLists,
  deviationOf,
  perplexityTolerance,
  scoreTolerance,
  spearman,
  toleranceOf,
  turnedQuestions,
} from './tolerance';

/** As a link writes a number. */
const fourDigits = (value: number): number => Number(value.toPrecision(4));

test('four digits and another adapter’s sums stay within every tolerance; a number of another model does not', () => {
  const random = createRandom(7);
  for (const method of ['ppl', 'taylor', 'block-influence', 'magnitude', 'flap', 'wanda-sp']) {
    const scores = Array.from({ length: 32 }, () => Math.exp(8 * random() - 4));
    const elsewhere = scores.map((value) => fourDigits(value) * (1 + 1e-4 * (2 * random() - 1)));
    const tolerance = scoreTolerance(method, false);
    expect(compareLists(scores, elsewhere, tolerance)).toMatchObject({ agrees: true });
    const other = scores.map((value, at) => (at === 5 ? value * 1.05 : value));
    expect(compareLists(scores, other, tolerance)).toMatchObject({ agrees: false, index: 5 });
  }
});

test('units that agree swap places only where they are as near to each other as the tolerance', () => {
  const random = createRandom(3);
  const tolerance = scoreTolerance('taylor', false);
  const scores = Array.from({ length: 200 }, () => 1 + random());
  const here = scores.map((value) => value * (1 + tolerance * (2 * random() - 1)));
  expect(compareLists(scores, here, tolerance)!.agrees).toBe(true);
  for (let i = 0; i < scores.length; i++) {
    for (let j = 0; j < i; j++) {
      if (scores[i]! < scores[j]! === here[i]! < here[j]!) continue;
      expect(Math.abs(scores[i]! - scores[j]!)).toBeLessThanOrEqual(tolerance * (scores[i]! + scores[j]!));
    }
  }
});

test('a score that is nearly zero is compared with the others’ size; NaN and infinities only with their like', () => {
  expect(compareLists([1e-9, 1, 2], [3e-9, 1, 2], 1e-3)!.agrees).toBe(true);
  expect(compareLists([Number.NaN, 1], [Number.NaN, 1], 1e-3)!.agrees).toBe(true);
  expect(compareLists([Number.POSITIVE_INFINITY, 1], [5, 1], 1e-3)).toMatchObject({ agrees: false, index: 0 });
  expect(compareLists([1, 2], [1], 1e-3)).toBeNull();
  expect(deviationOf(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY)).toBe(0);
  expect(deviationOf(2, 2.002)).toBeCloseTo(1e-3, 9);
});

test('f16 on either side loosens the bound; half precision of the engine only where the engine measured', () => {
  const exact = { runtime: 'ort-webgpu', precision: 'f32' } as const;
  expect(toleranceOf(exact, exact, true)).toBe(perplexityTolerance);
  expect(toleranceOf(exact, { precision: 'f16' }, false)).toBeGreaterThan(perplexityTolerance);
  expect(toleranceOf({ runtime: 'wgsl' }, {}, true)).toBeGreaterThan(perplexityTolerance);
});

test('Spearman’s correlation: by hand, with ties, without what is not finite', () => {
  expect(spearman([1, 2, 3, 4], [10, 20, 30, 40])).toBeCloseTo(1, 12);
  expect(spearman([1, 2, 3, 4], [4, 3, 2, 1])).toBeCloseTo(-1, 12);
  // d = (0, 0, 1, −1): 1 − 6·2 / (4·15) = 0.8
  expect(spearman([1, 2, 3, 4], [1, 2, 4, 3])).toBeCloseTo(0.8, 12);
  // ranks 0.5, 0.5, 2 against 0, 1, 2: covariance 1.5, variances 1.5 and 2
  expect(spearman([5, 5, 9], [1, 2, 3])).toBeCloseTo(1.5 / Math.sqrt(1.5 * 2), 12);
  expect(spearman([1, Number.NaN, 2, 3], [1, 0, 2, 3])).toBeCloseTo(1, 12);
  expect(spearman([1, 1], [1, 2])).toBe(0);
});

test.each([
  [1, 0, 0],
  [20, 0, 1],
  [100, 1, 5],
  [1838, 18, 92],
])('of %d questions %d may be answered otherwise, %d with f16 or a training', (items, exact, loose) => {
  expect([turnedQuestions(items, false), turnedQuestions(items, true)]).toEqual([exact, loose]);
});
