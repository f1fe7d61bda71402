import { expect, test } from 'vitest';
import { generationAxis, generationPoints } from './evolutionData';

const point = (generation: number, kl: number) => ({ generation, kl, evaluations: generation * 4 });

test('a point per generation, and which of them found something better', () => {
  const trace = [point(0, 3), point(1, 3), point(2, 1)];
  expect(generationPoints({ trace }).map(({ kl, better }) => [kl, better])).toEqual([
    [3, true],
    [3, false],
    [1, true],
  ]);
});

test('what no logarithmic axis can show is left out', () => {
  const trace = [point(0, Number.POSITIVE_INFINITY), point(1, 2), point(2, 0)];
  expect(generationPoints({ trace })).toEqual([{ ...point(1, 2), better: true }]);
});

test.each([
  [0, [0, 1]],
  [4, [0, 1, 2, 3, 4]],
  [18, [0, 2, 4, 6, 8, 10, 12, 14, 16, 18]],
  [128, [0, 20, 40, 60, 80, 100, 120]],
])('the axis of %i generations has whole ticks', (most, ticks) => {
  expect(generationAxis(most)).toEqual({ domain: [0, Math.max(1, most)], ticks });
});
