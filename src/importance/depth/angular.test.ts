import { expect, test } from 'vitest';
import { angularDistance, angularScores } from './angular';

test('parallel 0, orthogonal a half, opposite 1', () => {
  expect(angularDistance([1, 2], [2, 4])).toBeCloseTo(0, 6);
  expect(angularDistance([1, 0], [0, 3])).toBeCloseTo(0.5, 12);
  expect(angularDistance([1, 1], [-2, -2])).toBeCloseTo(1, 6);
});

test('a run of n blocks compares boundaries l and l + n, averaged over samples', () => {
  const turning = [
    [1, 0],
    [0, 1],
    [-1, 0],
  ];
  const still = [
    [1, 0],
    [1, 0],
    [1, 0],
  ];
  expect(angularScores([turning, still], 1)).toEqual([0.25, 0.25]);
  expect(angularScores([turning, still], 2)).toEqual([0.5]);
  expect(angularScores([turning], 3)).toEqual([]);
});
