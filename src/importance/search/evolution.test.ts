/** @file The evolutionary search on costs that one can work out by hand. */
import { describe, expect, test } from 'vitest';
import { type Best, type EvolutionSetting, evolve } from './evolution';

const pool = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
const defaults = { pool, count: 3, generations: 12, offspring: 12, survivors: [4, 1], seed: 1 };

/** What a unit's absence costs on its own: unit 7 costs least, then 4, then 1. */
const separable = (set: readonly number[]) => set.reduce((sum, unit) => sum + ((unit * 3 + 9) % 10), 0);
/** Neighbours are expensive together, and 2 and 9 cancel one another: one by one both look bad. */
const entangled = (set: readonly number[]) => {
  const neighbours = set.filter((unit) => set.includes(unit + 1)).length;
  return separable(set) + 20 * neighbours + (set.includes(2) !== set.includes(9) ? 15 : 0) - (set.includes(2) ? 12 : 0);
};

async function search(
  cost: (set: readonly number[]) => number,
  changes: Partial<EvolutionSetting> = {},
): Promise<{ best: Best; trace: Best[]; asked: { sets: readonly (readonly number[])[]; stage: number }[] }> {
  const trace: Best[] = [];
  const asked: { sets: readonly (readonly number[])[]; stage: number }[] = [];
  const best = await evolve({
    ...defaults,
    async cost(sets, stage) {
      asked.push({ sets, stage });
      return sets.map(cost);
    },
    onGeneration: (state) => trace.push(state),
    ...changes,
  });
  return { best, trace, asked };
}

function cheapest(cost: (set: readonly number[]) => number): number {
  const all = pool.flatMap((a) => pool.flatMap((b) => pool.flatMap((c) => (a < b && b < c ? [cost([a, b, c])] : []))));
  return Math.min(...all);
}

describe.each([
  ['a separable problem', separable],
  ['a problem of pairs', entangled],
])('%s', (_, cost) => {
  test.each([1, 2, 3, 4, 5])('the optimum is found, seed %i', async (seed) => {
    const { best } = await search(cost, { seed, generations: 25 });
    expect(best.cost).toBe(cheapest(cost));
    expect(best.cost).toBe(cost(best.set));
  });

  test('the best never gets worse, and every set removes as many units from the pool', async () => {
    const { trace, asked } = await search(cost);
    expect(trace.map(({ generation }) => generation)).toEqual(Array.from({ length: 13 }, (_, index) => index));
    trace.slice(1).forEach((state, index) => {
      expect(state.cost).toBeLessThanOrEqual(trace[index]!.cost);
      expect(state.evaluations).toBeGreaterThanOrEqual(trace[index]!.evaluations);
    });
    for (const set of asked.flatMap(({ sets }) => sets)) {
      expect(new Set(set).size).toBe(3);
      expect(set.every((unit) => pool.includes(unit))).toBe(true);
      expect([...set].sort((a, b) => a - b)).toEqual(set);
    }
  });
});

test('the pairs defeat a greedy search, so that finding them says something', () => {
  const greedy: number[] = [];
  while (greedy.length < 3) {
    const next = pool.filter((unit) => !greedy.includes(unit));
    greedy.push(
      next.reduce((least, unit) => (entangled([...greedy, unit]) < entangled([...greedy, least]) ? unit : least)),
    );
  }
  expect(entangled(greedy)).toBeGreaterThan(cheapest(entangled));
});

test('one seed gives one search; another seed another one', async () => {
  const runs = await Promise.all([7, 7, 8].map((seed) => search(entangled, { seed })));
  expect(runs[1]).toEqual(runs[0]);
  expect(runs[2]!.asked[0]).not.toEqual(runs[0]!.asked[0]);
});

test('stages: all offspring on the first, the survivors on the next; the known are not measured again', async () => {
  const { asked, best } = await search(separable, { survivors: [5, 2, 1], generations: 1 });
  expect(asked.map(({ stage }) => stage)).toEqual([0, 1, 2, 0, 1, 2]);
  expect(asked.map(({ sets }) => sets.length).slice(0, 5)).toEqual([24, 5, 2, 12, 5]);
  expect(best.evaluations).toBe(asked.reduce((sum, { sets }) => sum + sets.length, 0));
  const lastStage = (await search(separable, { generations: 30 })).asked.filter(({ stage }) => stage === 1);
  const keys = lastStage.flatMap(({ sets }) => sets.map((set) => set.join(' ')));
  expect(new Set(keys).size).toBe(keys.length);
});

test('a first stage that errs costs good sets, but what survives is judged by the last', async () => {
  const { best } = await search(separable, {
    generations: 25,
    cost: async (sets, stage) => sets.map((set) => (stage === 0 ? -separable(set) : separable(set))),
  });
  expect(best.cost).toBe(separable(best.set));
});

test('a model that broke loses against any other', async () => {
  const cost = (set: readonly number[]) => (set.includes(5) ? Number.NaN : 3);
  expect((await search(cost)).best.set).not.toContain(5);
  const broken = await search(() => Number.NaN, { generations: 1 });
  expect(broken.best.set).toHaveLength(3);
});

test('a pool with one set only, and one with few, come to an end', async () => {
  const all = await search(separable, { pool: [3, 6, 8] });
  expect(all.best.set).toEqual([3, 6, 8]);
  expect(all.best.evaluations).toBe(1);
  const few = await search(separable, { pool: [3, 6, 8, 9] });
  expect(few.best.cost).toBe(
    Math.min(...[3, 6, 8, 9].map((kept) => separable([3, 6, 8, 9].filter((u) => u !== kept)))),
  );
});

test('what the cost throws ends the search', async () => {
  const stop = search(separable, { cost: () => Promise.reject(new Error('stopped')) });
  await expect(stop).rejects.toThrow('stopped');
});
