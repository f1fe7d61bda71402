/** @file Moments and column sums on numbers that one can check by hand. */
import { expect, test } from 'vitest';
import { columnSums } from './columnSums';
import { channelMoments, mergeMoments, noMoments } from './moments';

test('the moments of two channels over three rows', () => {
  // (1, 2, 6): mean 3, deviations 4 + 1 + 9; (5, 5, 5): mean 5, none
  expect(channelMoments([1, 5, 2, 5, 6, 5], 2)).toEqual({
    count: 3,
    mean: Float64Array.of(3, 5),
    deviations: Float64Array.of(14, 0),
  });
});

test('parts merge to the moments of the whole, in any order; no rows change nothing', () => {
  // (1, 2, 6) and (11): mean 5, deviations 16 + 9 + 1 + 36
  const whole = noMoments(1);
  mergeMoments(whole, 1, [11, 0]);
  mergeMoments(whole, 0, [0, 0]);
  mergeMoments(whole, 3, [3, 14]);
  expect(whole).toEqual({ count: 4, mean: Float64Array.of(5), deviations: Float64Array.of(62) });
});

test('a mean that is large beside the deviations spoils nothing', () => {
  const values = Array.from({ length: 64 }, (_, i) => 1e9 + (i % 4));
  const merged = noMoments(1);
  for (let at = 0; at < 64; at += 8) {
    const { mean, deviations } = channelMoments(values.slice(at, at + 8), 1);
    mergeMoments(merged, 8, [mean[0]!, deviations[0]!]);
  }
  expect(merged.deviations[0]).toBe(64 * 1.25);
});

test('sums of the columns of a weight', () => {
  expect(columnSums([1, -2, -3, 4, 0, 1], 2)).toEqual({
    absolute: Float64Array.of(4, 7),
    squares: Float64Array.of(10, 21),
    rows: 3,
  });
});
