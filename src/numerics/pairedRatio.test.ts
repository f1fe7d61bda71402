import { expect, test } from 'vitest';
import { isConclusive, pairedRatio, studentBound, studentCoverage } from './pairedRatio';

test("Student's bounds are those of the printed tables", () => {
  const table = {
    1: 12.706,
    2: 4.303,
    3: 3.182,
    4: 2.776,
    5: 2.571,
    9: 2.262,
    10: 2.228,
    29: 2.045,
    30: 2.042,
    120: 1.98,
  };
  for (const [degrees, t] of Object.entries(table)) expect(studentBound(Number(degrees))).toBeCloseTo(t, 3);
  expect(studentCoverage(1, 1)).toBeCloseTo(0.5, 12);
  expect(studentCoverage(0, 7)).toBe(0);
});

test('two pairs by hand: 2 and 8 times, so 4 times, and an interval of e^(12.706 · ln 2) to either side', () => {
  // Logs ln 2 and ln 8: mean ln 4, deviation √2 · ln 2, its error ln 2.
  const { ratio, low, high } = pairedRatio([2, 8], [1, 1]);
  expect(ratio).toBeCloseTo(4, 12);
  expect(Math.log(high / ratio) / Math.log(2)).toBeCloseTo(12.706, 3);
  expect(low * high).toBeCloseTo(16, 9);
});

test('three pairs by hand', () => {
  // Logs 0.1, 0.2, 0.3: mean 0.2, error 0.1 / √3, t 4.3027.
  const { ratio, low, high } = pairedRatio([Math.exp(0.1), Math.exp(0.2), Math.exp(0.3)], [1, 1, 1]);
  expect(Math.log(ratio)).toBeCloseTo(0.2, 12);
  expect(Math.log(low)).toBeCloseTo(0.2 - (4.30265 * 0.1) / Math.sqrt(3), 5);
  expect(Math.log(high)).toBeCloseTo(0.2 + (4.30265 * 0.1) / Math.sqrt(3), 5);
});

test('what slows both of a pair cancels', () => {
  const slow = [1, 7, 2, 3];
  const { ratio, low, high } = pairedRatio(
    slow.map((factor) => 3 * factor),
    slow.map((factor) => 2 * factor),
  );
  for (const value of [ratio, low, high]) expect(value).toBeCloseTo(1.5, 12);
});

test('an interval around 1 shows no difference, one beside it does', () => {
  expect(isConclusive(pairedRatio([10, 11, 9, 10], [10, 10, 10, 10]))).toBe(false);
  expect(isConclusive(pairedRatio([20, 21, 20, 19], [10, 10, 10, 10]))).toBe(true);
  expect(isConclusive(pairedRatio([10, 10, 10, 10], [20, 21, 20, 19]))).toBe(true);
  expect(isConclusive({ ratio: 1, low: 1, high: 1 })).toBe(false);
});
