import { expect, test } from 'vitest';
import { colourScale, rampColour } from './colourScale';

test('one lethal block leaves the differences of the others visible', () => {
  const scores = [8276, 36, 32, 27, 24, 23.5, 23, 23.2, 25.7, 30, 34, 39];
  const scale = colourScale(scores);
  expect(scale.beyond).toEqual([0]);
  expect(scale.log).toBe(true);
  const others = scale.positions.slice(1).map((position) => position!);
  expect(scale.positions[0]).toBe(1);
  expect(Math.min(...others)).toBe(0);
  expect(Math.max(...others)).toBeGreaterThan(0.5);
  expect(others[0]! - others[2]!).toBeGreaterThan(0.15);
  expect(scale.domain[0]).toBeCloseTo(23, 10);
  expect(scale.domain[1]).toBeLessThan(100);
});

test('without an outlier the ends are the extremes', () => {
  const scale = colourScale([1, 2, 4, 8]);
  expect(scale.beyond).toEqual([]);
  expect(scale.positions[0]).toBe(0);
  expect(scale.positions[3]).toBe(1);
  expect(scale.positions[1]).toBeCloseTo(1 / 3, 12);
});

test('scores that may be negative are placed linearly', () => {
  const scale = colourScale([-1, 0, 1, 3]);
  expect(scale.log).toBe(false);
  expect(scale.positions).toEqual([0, 0.25, 0.5, 1]);
});

test('an infinite score is essential and beyond the scale; one that is no number has no colour', () => {
  const scale = colourScale([Number.POSITIVE_INFINITY, 1, 2, 3, Number.NaN]);
  expect(scale.positions[0]).toBe(1);
  expect(scale.positions[4]).toBeNull();
  expect(scale.beyond).toEqual([0]);
  expect(rampColour(null)).toBe('var(--unmeasured)');
});

test('equal scores share the middle; a lone deviation from them is marked', () => {
  expect(colourScale([2, 2, 2]).positions).toEqual([0.5, 0.5, 0.5]);
  const scale = colourScale([2, 2, 2, 2, 2, 9]);
  expect(scale.positions).toEqual([0.5, 0.5, 0.5, 0.5, 0.5, 1]);
  expect(scale.beyond).toEqual([5]);
});

test('nothing measured, nothing coloured', () => {
  expect(colourScale([]).positions).toEqual([]);
  expect(colourScale([Number.NaN]).positions).toEqual([null]);
});
