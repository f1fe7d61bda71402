import { describe, expect, it } from 'vitest';
import { createRandom, mixSeed, randomGaussian, randomInt, randomWeighted, shuffled } from './random';

const draw = (seed: number, count: number) => {
  const random = createRandom(seed);
  return Array.from({ length: count }, random);
};
const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('createRandom', () => {
  it('repeats itself for the same seed, and not for another', () => {
    expect(draw(7, 5)).toEqual(draw(7, 5));
    expect(draw(7, 5)).not.toEqual(draw(8, 5));
  });

  it('is uniform in [0, 1)', () => {
    const values = draw(1, 20_000);
    expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...values)).toBeLessThan(1);
    expect(mean(values)).toBeCloseTo(0.5, 2);
    expect(mean(values.map((value) => value * value))).toBeCloseTo(1 / 3, 2);
  });
});

describe('mixSeed', () => {
  it('gives each index a seed of its own', () => {
    const seeds = Array.from({ length: 10_000 }, (_, index) => mixSeed(3, index));
    expect(new Set(seeds).size).toBe(seeds.length);
  });
});

describe('randomInt', () => {
  it('reaches each number below n equally often', () => {
    const random = createRandom(2);
    const counts = [0, 0, 0];
    for (let i = 0; i < 9000; i++) counts[randomInt(random, 3)]! += 1;
    for (const count of counts) expect(Math.abs(count - 3000)).toBeLessThan(200);
  });

  it('refuses an empty range', () => {
    expect(() => randomInt(createRandom(1), 0)).toThrow('expected n ≥ 1, got 0');
  });
});

describe('randomWeighted', () => {
  it('follows the weights and never takes a weight of zero', () => {
    const random = createRandom(5);
    const counts = [0, 0, 0];
    for (let i = 0; i < 8000; i++) counts[randomWeighted(random, [1, 0, 3])]! += 1;
    expect(counts[1]).toBe(0);
    expect(Math.abs(counts[0]! - 2000)).toBeLessThan(200);
  });

  it('refuses weights without a positive sum', () => {
    expect(() => randomWeighted(createRandom(1), [0, 0])).toThrow('positive sum');
  });
});

describe('randomGaussian', () => {
  it('has mean 0 and variance 1', () => {
    const random = createRandom(11);
    const values = Array.from({ length: 20_000 }, () => randomGaussian(random));
    expect(Math.abs(mean(values))).toBeLessThan(0.03);
    expect(mean(values.map((value) => value * value))).toBeCloseTo(1, 1);
  });
});

describe('shuffled', () => {
  it('keeps every item and leaves the input alone', () => {
    const items = [1, 2, 3, 4, 5, 6];
    const mixed = shuffled(createRandom(4), items);
    expect(items).toEqual([1, 2, 3, 4, 5, 6]);
    expect(mixed).not.toEqual(items);
    expect([...mixed].sort()).toEqual(items);
  });
});
