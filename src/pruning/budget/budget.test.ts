/** @file Choices under a budget, against all selections of problems that are small enough to try them all. */
import { describe, expect, test } from 'vitest';
import { createRandom } from '../../numerics/random';
import { evolveSelection } from './evolve';
import { greedySelection } from './greedy';
import { type Choice, estimatedLoss, meets, type Problem, type Selection, smallest, totals } from './problem';

/** A block that may be whole, half or gone; `costs` of the whole block by limit. */
const block = (loss: number, ...costs: number[]): Choice[] => [
  { loss: 0, costs, empty: false },
  { loss: loss / 5, costs: costs.map((cost) => cost / 2), empty: false },
  { loss, costs: costs.map(() => 0), empty: true },
];

function everySelection({ blocks }: Problem): Selection[] {
  return blocks.reduce<Selection[]>(
    (all, choices) => all.flatMap((selection) => choices.map((_, choice) => [...selection, choice])),
    [[]],
  );
}

function optimum(problem: Problem, loss: (selection: Selection) => number): number {
  return Math.min(
    ...everySelection(problem)
      .filter((selection) => meets(problem, selection))
      .map(loss),
  );
}

/** Blocks of random losses and costs with three ways to keep each. */
function randomProblem(seed: number, limit: number): Problem {
  const random = createRandom(seed);
  const blocks = Array.from({ length: 6 }, () => block(0.1 + random(), 1 + random(), 1 + 3 * random()));
  const whole = totals(
    { blocks, limits: [0, 0] },
    blocks.map(() => 0),
  );
  return { blocks, limits: whole.map((total) => limit * total) };
}

test('the cheapest step per saved unit is taken first, and what still fits comes back', () => {
  // Two of six units have to go. Halving block 0 saves 1 at 0.02; removing block 2 saves 2 at 0.3 (0.15 per unit), halving it 1 at 0.06.
  const problem: Problem = { blocks: [block(0.1, 2), block(5, 2), block(0.3, 2)], limits: [4] };
  expect(greedySelection(problem)).toEqual([1, 0, 1]);
  // The rest of block 0 costs 0.08 for one unit, the rest of block 2 0.24.
  expect(greedySelection({ ...problem, limits: [3] })).toEqual([2, 0, 1]);
  expect(greedySelection({ ...problem, limits: [6] })).toEqual([0, 0, 0]);
});

test('a step that saves more than is needed is not preferred for that, and a removal that mends the model is taken', () => {
  const large: Choice[] = [
    { loss: 0, costs: [10], empty: false },
    { loss: 1, costs: [0], empty: true },
  ];
  const small: Choice[] = [
    { loss: 0, costs: [1], empty: false },
    { loss: 0.3, costs: [0], empty: true },
  ];
  expect(greedySelection({ blocks: [large, small], limits: [10] })).toEqual([0, 1]);
  const harmful: Choice[] = [
    { loss: 0, costs: [1], empty: false },
    { loss: -0.2, costs: [0], empty: true },
  ];
  expect(greedySelection({ blocks: [harmful, small, large], limits: [11] })).toEqual([1, 0, 0]);
  // Also where nothing has to go.
  expect(greedySelection({ blocks: [harmful, small, large], limits: [12] })).toEqual([1, 0, 0]);
});

test('only allowed choices are taken; a budget that they cannot meet has no selection', () => {
  const problem: Problem = { blocks: [block(0.1, 2), block(5, 2)], limits: [2] };
  const onlyHalves = (_: number, choice: number) => choice < 2;
  expect(greedySelection(problem, { allowed: onlyHalves })).toEqual([1, 1]);
  expect(greedySelection({ ...problem, limits: [1.9] }, { allowed: onlyHalves })).toBeNull();
  expect(greedySelection(problem, { frozen: new Set([0]), from: [2, 0] })).toEqual([2, 0]);
});

test('something of the model stays, however tight the budget; the least it can take is told', () => {
  const problem: Problem = { blocks: [block(1, 2, 8), block(1, 4, 2)], limits: [100, 100] };
  expect(smallest(problem)).toEqual([1, 1]);
  expect(greedySelection({ ...problem, limits: [1, 100] })).toEqual([1, 2]);
  expect(greedySelection({ ...problem, limits: [0.9, 100] })).toBeNull();
  expect(greedySelection({ ...problem, limits: [2, 1] })).toEqual([2, 1]);
  // Where no block may go, all take their least.
  const kept: Problem = { blocks: problem.blocks.map((choices) => choices.slice(0, 2)), limits: [100, 100] };
  expect(smallest(kept)).toEqual([3, 5]);
});

test('a loss that is infinite is taken last', () => {
  const broken: Choice[] = [
    { loss: 0, costs: [2], empty: false },
    { loss: Number.POSITIVE_INFINITY, costs: [0], empty: true },
  ];
  expect(greedySelection({ blocks: [broken, block(9, 2)], limits: [3] })).toEqual([0, 1]);
  expect(greedySelection({ blocks: [broken, block(9, 2)], limits: [1] })).toEqual([1, 1]);
});

describe.each([1, 2, 3, 4, 5, 6])('random problem %i', (seed) => {
  const problem = randomProblem(seed, 0.55);
  const greedy = greedySelection(problem)!;
  /** Neighbours that both lose something hurt more than their estimates say. */
  const real = (selection: Selection): number =>
    estimatedLoss(problem, selection) +
    selection.slice(1).filter((choice, at) => choice > 0 && selection[at]! > 0).length * 0.4;
  const search = (changes: Partial<Parameters<typeof evolveSelection>[0]> = {}) => {
    const trace: number[] = [];
    const measured: Selection[] = [];
    const found = evolveSelection({
      ...{ problem, starts: [greedy], generations: 12, offspring: 12, seed },
      cost: async (selections) => {
        measured.push(...selections);
        return selections.map(real);
      },
      onGeneration: ({ cost }) => trace.push(cost),
      ...changes,
    });
    return found.then((best) => ({ best, trace, measured }));
  };

  test('greedy meets the budget within a quarter of the optimum of what it estimates', () => {
    expect(meets(problem, greedy)).toBe(true);
    expect(estimatedLoss(problem, greedy)).toBeLessThanOrEqual(
      1.25 * optimum(problem, (each) => estimatedLoss(problem, each)),
    );
  });

  test('evolution finds the optimum of the real loss, and measures only what meets the budget', async () => {
    const { best, trace, measured } = await search();
    expect(best.cost).toBeCloseTo(optimum(problem, real), 10);
    expect(real(best.candidate)).toBe(best.cost);
    expect(measured.every((selection) => meets(problem, selection))).toBe(true);
    expect(best.cost).toBeLessThanOrEqual(real(greedy));
    expect(trace).toEqual([...trace].sort((a, b) => b - a));
    expect(best.evaluations).toBe(measured.length);
    expect(new Set(measured.map(String)).size).toBe(measured.length);
  });

  test('equal seeds search alike; without generations the best start or first draw wins', async () => {
    expect((await search()).measured).toEqual((await search()).measured);
    const { best } = await search({ generations: 0, offspring: 1 });
    expect(best.cost).toBeLessThanOrEqual(real(greedy));
  });
});
