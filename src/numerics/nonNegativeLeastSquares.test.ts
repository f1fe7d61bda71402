/** @file Non-negative least squares against answers that can be checked by hand, and by the conditions of an optimum. */
import { describe, expect, test } from 'vitest';
import { nonNegativeLeastSquares } from './nonNegativeLeastSquares';
import { createRandom, randomGaussian } from './random';

test('a system with a non-negative solution gives it back', () => {
  const rows = [
    [1, 0, 2],
    [0, 3, 1],
    [1, 1, 1],
    [2, 5, 0],
  ];
  const x = [0.5, 2, 0.25];
  const values = rows.map((row) => row.reduce((sum, value, j) => sum + value * x[j]!, 0));
  expect(nonNegativeLeastSquares(rows, values)).toEqual(x.map((value) => expect.closeTo(value, 10)));
});

test('a coefficient that would be negative is 0, and the others are fitted without it', () => {
  // Unbounded: x = (3, −1). With x₁ = 0 the mean of the values.
  const rows = [
    [1, 0],
    [1, 1],
  ];
  expect(nonNegativeLeastSquares(rows, [3, 2])).toEqual([expect.closeTo(2.5, 12), 0]);
});

test('of two columns that say the same, one gets all; a column of zeros gets 0', () => {
  const rows = [
    [1, 2, 0],
    [2, 4, 0],
    [3, 6, 0],
  ];
  const [first, second, none] = nonNegativeLeastSquares(rows, [2, 4, 6]);
  expect(first! + 2 * second!).toBeCloseTo(2, 10);
  expect(Math.min(first!, second!)).toBe(0);
  expect(none).toBe(0);
});

describe.each([1, 2, 3, 4, 5, 6, 7, 8])('random numbers, seed %i', (seed) => {
  test('no coefficient is negative, and none could change to better effect', () => {
    const random = createRandom(seed);
    const [count, columns] = [12, 7];
    const rows = Array.from({ length: count }, () => Array.from({ length: columns }, () => randomGaussian(random)));
    const values = Array.from({ length: count }, () => 3 * randomGaussian(random));
    const x = nonNegativeLeastSquares(rows, values);
    const residual = rows.map((row, i) => values[i]! - row.reduce((sum, value, j) => sum + value * x[j]!, 0));
    x.forEach((value, j) => {
      const slope = rows.reduce((sum, row, i) => sum + row[j]! * residual[i]!, 0);
      expect(value).toBeGreaterThanOrEqual(0);
      if (value > 0) expect(slope).toBeCloseTo(0, 8);
      else expect(slope).toBeLessThan(1e-8);
    });
  });
});

test('numbers that are not finite are refused', () => {
  expect(() => nonNegativeLeastSquares([[1, Number.NaN]], [1])).toThrow(RangeError);
  expect(() => nonNegativeLeastSquares([[1], [1, 2]], [1, 2])).toThrow(RangeError);
});
