/** @file Low-rank factors: their gradients against finite differences, with dropout, and the masks themselves. */
import { expect, test } from 'vitest';
import { type LowRank, lowRank, lowRankBackward, mergedWeight } from './adapter';
import { dropFactor, dropped } from './dropout';
import { linear } from './linear';
import { createRandom, mixSeed } from './random';

const random = (count: number, seed: number): Float64Array => {
  const next = createRandom(seed);
  return Float64Array.from({ length: count }, () => 2 * next() - 1);
};

test('gradients of x, A and B with dropout are those of finite differences', () => {
  const [rows, inner, cols, rank] = [4, 6, 5, 3];
  const dropout = { rate: 0.4, seed: 9 };
  const factors = { a: random(rank * inner, 1), b: random(cols * rank, 2), rank, scale: 1.7, dropout };
  const x = random(rows * inner, 3);
  const dY = random(rows * cols, 4);
  const loss = (at: Float64Array, changed: LowRank): number =>
    lowRank(at, changed).reduce((sum, value, i) => sum + value * dY[i]!, 0);
  const gradients = [x, factors.a, factors.b].map((values) => new Float64Array(values.length));
  lowRankBackward(dY, x, factors, gradients[0]!, gradients[1]!, gradients[2]!);
  const step = 1e-4;
  const moved = (values: Float64Array, i: number, by: number) =>
    values.map((value, j) => (j === i ? value + by : value));
  const slopes = [
    x.map((_, i) => loss(moved(x, i, step), factors) - loss(moved(x, i, -step), factors)),
    ...(['a', 'b'] as const).map((name) =>
      factors[name].map((_, i) => {
        const at = (by: number) => loss(x, { ...factors, [name]: moved(factors[name], i, by) });
        return at(step) - at(-step);
      }),
    ),
  ];
  for (const [index, slope] of slopes.entries()) {
    for (const [i, value] of slope.entries()) expect(value / (2 * step)).toBeCloseTo(gradients[index]![i]!, 8);
  }
  const zeros = gradients[0]!.filter((value) => value === 0).length;
  expect(zeros).toBe(dropped(x, dropout).filter((value) => value === 0).length);
  expect(zeros).toBeGreaterThan(2);
});

test('a merged weight computes what weight and factors compute', () => {
  const [inner, cols, rank] = [6, 5, 2];
  const factors = { a: random(rank * inner, 1), b: random(cols * rank, 2), rank, scale: 0.5, dropout: null };
  const [x, weight] = [random(3 * inner, 3), random(cols * inner, 4)];
  const added = lowRank(x, factors);
  const apart = linear(x, weight, inner).map((value, i) => value + added[i]!);
  const merged = linear(x, mergedWeight(weight, factors), inner);
  merged.forEach((value, i) => {
    expect(value).toBeCloseTo(apart[i]!, 12);
  });
});

test('masks drop their share, keep the mean, and are independent of each other and of their neighbours', () => {
  const count = 2 ** 16;
  const sigmas = 4.5;
  for (const rate of [0.05, 0.5, 0.9]) {
    const factors = (seed: number) => Float64Array.from({ length: count }, (_, i) => dropFactor({ rate, seed }, i));
    const mask = factors(mixSeed(1, 2));
    const share = (of: (i: number) => boolean) => mask.reduce((sum, _, i) => sum + (of(i) ? 1 : 0), 0) / count;
    const near = (found: number, expected: number) =>
      expect(Math.abs(found - expected)).toBeLessThan(sigmas * Math.sqrt((expected * (1 - expected)) / count));
    near(
      share((i) => mask[i] === 0),
      rate,
    );
    expect(new Set(mask)).toEqual(new Set([0, 1 / (1 - rate)]));
    // Pairs of neighbours, of elements one row of 64 apart, and of masks whose seeds are neighbours.
    const both = rate * rate;
    for (const distance of [1, 2, 64])
      near(
        share((i) => mask[i] === 0 && mask[(i + distance) % count] === 0),
        both,
      );
    for (const other of [factors(mixSeed(1, 3)), factors(mixSeed(2, 2))]) {
      near(
        share((i) => mask[i] === 0 && other[i] === 0),
        both,
      );
    }
  }
});

test('without dropout nothing changes', () => {
  const x = random(10, 1);
  expect(dropped(x, null)).toEqual(x);
  expect(dropped(x, { rate: 0, seed: 1 })).toEqual(x);
});
