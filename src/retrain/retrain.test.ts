/** @file Schedules and the order of rows. */
import { expect, test } from 'vitest';
import { schedules } from '../pruning/variant';
import { rowOrder, shuffled } from './order';
import { textRows } from './rows';
import { rateAt } from './schedule';
import { train } from './train';

const setting = { learningRate: 2, warmup: 4, steps: 14 };

test('warm-up climbs from 0 in every schedule, and constant stays', () => {
  for (const schedule of schedules) {
    expect([0, 1, 2, 3, 4].map((step) => rateAt(step, { ...setting, schedule }))).toEqual([0, 0.5, 1, 1.5, 2]);
  }
  expect(rateAt(13, { ...setting, schedule: 'constant' })).toBe(2);
});

test('linear and cosine fall to 0 behind the last step', () => {
  expect(rateAt(9, { ...setting, schedule: 'linear' })).toBeCloseTo(1, 12);
  expect(rateAt(14, { ...setting, schedule: 'linear' })).toBe(0);
  expect(rateAt(9, { ...setting, schedule: 'cosine' })).toBeCloseTo(1, 12);
  expect(rateAt(14, { ...setting, schedule: 'cosine' })).toBeCloseTo(0, 12);
  expect(rateAt(0, { ...setting, warmup: 0, schedule: 'cosine' })).toBe(2);
});

test('without a seed rows come as they were given, again from the first', () => {
  const next = rowOrder(5, 2, null);
  expect([0, 1, 2, 3].map(next)).toEqual([
    [0, 1],
    [2, 3],
    [4, 0],
    [1, 2],
  ]);
});

test('with a seed every epoch has every row once, in another order, and steps may be asked for in any order', () => {
  const next = rowOrder(6, 4, 7);
  const rows = [0, 1, 2].flatMap(next);
  expect(rows.slice(0, 6).toSorted()).toEqual([0, 1, 2, 3, 4, 5]);
  expect(rows.slice(6).toSorted()).toEqual([0, 1, 2, 3, 4, 5]);
  expect(rows.slice(0, 6)).not.toEqual(rows.slice(6));
  expect(rowOrder(6, 4, 7)(2)).toEqual(rows.slice(8));
  expect(shuffled(6, 8, 0)).not.toEqual(shuffled(6, 7, 0));
});

test('the loop: losses by step, held-out perplexity before, between and after; a signal stops it between two steps', async () => {
  const rows = textRows([
    [1, 2],
    [3, 4],
    [5, 6],
  ]);
  const seen: unknown[] = [];
  const controller = new AbortController();
  const trainer = {
    step: async (batch: unknown, { optimizer }: { optimizer: { learningRate: number } }) => {
      seen.push(batch, optimizer.learningRate);
      if (seen.length === 6) controller.abort();
      return { loss: seen.length, crossEntropy: seen.length, divergence: null, gradientNorm: 1 };
    },
  };
  let perplexity = 10;
  const all = {
    ...{ trainer, rows, batch: 2, seed: null, clip: 1, evaluateEvery: 2, warmup: 0, schedule: 'constant' as const },
    ...{ optimizer: { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 }, learningRate: 0.1 },
    evaluate: async () => perplexity--,
  };
  const { losses, evaluations } = await train({ ...all, steps: 2 });
  expect(losses).toEqual([
    { step: 1, loss: 2, learningRate: 0.1 },
    { step: 2, loss: 4, learningRate: 0.1 },
  ]);
  expect(evaluations).toEqual([
    { step: 0, perplexity: 10 },
    { step: 2, perplexity: 9 },
  ]);
  expect(seen[0]).toEqual([
    [1, 2],
    [3, 4],
  ]);
  expect(seen[2]).toEqual([
    [5, 6],
    [1, 2],
  ]);
  await expect(train({ ...all, steps: 5, signal: controller.signal })).rejects.toMatchObject({ code: 'aborted' });
  expect(seen).toHaveLength(6);
});
