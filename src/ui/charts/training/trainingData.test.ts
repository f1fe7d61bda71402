/** @file The chart of a training: running mean, axes that show the same heights, the table. */
import { expect, test } from 'vitest';
import { lossPoints, type TrainingRun, trainingAxes, trainingTable } from './trainingData';

const losses = [4, 3, 2, 2].map((loss, index) => ({ step: index + 1, loss, learningRate: 0.01 * (index + 1) }));
const run = (method: 'full' | 'distill'): TrainingRun => ({
  request: { method, steps: 8, batch: 1, learningRate: 0.01 },
  ...{ losses, steps: 8 },
  evaluations: [
    { step: 0, perplexity: 60 },
    { step: 2, perplexity: 30 },
    { step: 4, perplexity: 9 },
  ],
});

test('the running mean begins at the first loss, has no bias, and passes over values that are no numbers', () => {
  const points = lossPoints([...losses, { step: 5, loss: Number.NaN, learningRate: 0 }], 2);
  expect(points.map(({ step }) => step)).toEqual([1, 2, 3, 4]);
  // Weights ½, ¼, … corrected: (¼ · 4 + ½ · 3) / ¾.
  expect(points[0]?.smooth).toBe(4);
  expect(points[1]?.smooth).toBeCloseTo(10 / 3, 12);
  expect(
    lossPoints(
      losses.map((each) => ({ ...each, loss: 2 })),
      5,
    ).every(({ smooth }) => Math.abs(smooth - 2) < 1e-12),
  ).toBe(true);
});

test('a perplexity is as high as its loss; the axes of a distillation are their own', () => {
  const axes = trainingAxes(run('full'), lossPoints(losses, 2), { base: 5, before: 60 });
  expect(axes.perplexity.domain.map(Math.log)).toEqual([
    expect.closeTo(axes.loss.domain[0], 9),
    expect.closeTo(axes.loss.domain[1], 9),
  ]);
  expect(axes.loss.domain[0]).toBeLessThan(Math.log(5));
  expect(axes.loss.domain[1]).toBeGreaterThan(Math.log(60));
  expect(axes.step).toMatchObject({ domain: [0, 8] });
  const own = trainingAxes(run('distill'), lossPoints(losses, 2), { base: 5, before: 60 });
  expect(own.loss.domain[0]).toBeGreaterThan(1.5);
  expect(own.perplexity.domain[0]).toBeGreaterThan(3);
  const none = trainingAxes({ ...run('full'), losses: [], evaluations: [] }, [], { base: null, before: null });
  expect(none.loss.domain.every(Number.isFinite)).toBe(true);
});

test('the table has a row for each evaluation, with the mean of the losses since', () => {
  expect(trainingTable(run('full')).rows.map(({ cells }) => cells)).toEqual([
    ['0', '–', '0.0100', '60.00'],
    ['2', '3.50', '0.0200', '30.00'],
    ['4', '2.00', '0.0400', '9.000'],
  ]);
});
