import { expect, test } from 'vitest';
import type { LayerShape } from '../../model/shape';
import type { Probe } from '../method';
import { greedyMethods } from '../methods';
import type { SearchProgress } from './found';
import { runSearch, stepIndex, stepScores } from './searches';

const sleb = greedyMethods.find(({ id }) => id === 'sleb')!;
const blockPruner = greedyMethods.find(({ id }) => id === 'block-pruner')!;

const layers: LayerShape[] = [0, 1, 2, 3, 4].map((source) => ({ source, heads: 2, kvHeads: 1, headDim: 4, ffn: 8 }));

/** A model whose loss is the sum of what its missing sub-blocks cost: attention of block l costs 10 + l, its MLP 20 − l. */
function costOf(present: readonly LayerShape[]): number {
  return layers.reduce((cost, { source }) => {
    const layer = present.find((each) => each.source === source);
    return cost + (layer && layer.heads > 0 ? 0 : 10 + source) + (layer && layer.ffn > 0 ? 0 : 20 - source);
  }, 0);
}

const probe: Pick<Probe, 'removalSweep'> = {
  async removalSweep(_sequences, removals, options) {
    return removals.map(({ layer, kind }) => {
      const list = [...(options?.layers ?? layers)];
      const changed = {
        ...list[layer]!,
        ...(kind === 'mlp' ? {} : { heads: 0 }),
        ...(kind === 'attention' ? {} : { ffn: 0 }),
      };
      list[layer] = changed;
      return costOf(list) / 100;
    });
  },
};
const setting = { probe, layers, sequences: [[1, 2]], protectedBlocks: [] };

test('SLEB removes blocks one by one and never the first or the last that remain', async () => {
  // Every block costs 30: ties go to the first candidate, and barriers move with what remains.
  const steps = await runSearch(sleb, setting);
  expect(steps.map(({ layer, part }) => [layer, part])).toEqual([
    [1, 'block'],
    [2, 'block'],
    [3, 'block'],
  ]);
  expect(steps.map(({ perplexity }) => Math.log(perplexity) * 100)).toEqual(
    [30, 60, 90].map((cost) => expect.closeTo(cost, 9)),
  );
  expect(stepScores(sleb, 5, steps)).toEqual([3, 0, 1, 2, 3]);
});

test('BlockPruner removes sub-blocks; a block that lost both is removed', async () => {
  const steps = await runSearch(blockPruner, { ...setting, count: 6 });
  expect(steps.map((step) => stepIndex(blockPruner, step))).toEqual([0, 2, 4, 6, 8, 9]);
  expect(steps.at(-1)).toMatchObject({ layer: 4, part: 'mlp' });
});

test('protected blocks stay, and the search ends when nothing may go', async () => {
  const steps = await runSearch(sleb, { ...setting, protectedBlocks: [0, 1, 3] });
  expect(steps.map(({ layer }) => layer)).toEqual([2]);
});

test('what was found so far travels with the progress', async () => {
  const reports: SearchProgress[] = [];
  await runSearch(sleb, { ...setting, count: 2, onProgress: (progress) => reports.push(progress) });
  expect(reports.at(-1)).toMatchObject({ done: 2, total: 2 });
  expect(reports.at(-1)?.found?.map(({ layer }) => layer)).toEqual([1, 2]);
});

test('barriers at either end are as wide as asked for', async () => {
  const blocks = async (barriers: { first: number; last: number }) =>
    (await runSearch(sleb, { ...setting, barriers })).map(({ layer }) => layer);
  expect(await blocks({ first: 0, last: 0 })).toEqual([0, 1, 2, 3]);
  expect(await blocks({ first: 3, last: 0 })).toEqual([3, 4]);
  expect(await blocks({ first: 0, last: 4 })).toEqual([0]);
  const subBlocks = await runSearch(blockPruner, { ...setting, barriers: { first: 1, last: 3 } });
  expect(subBlocks.map(({ layer, part }) => [layer, part])).toEqual([
    [1, 'attention'],
    [1, 'mlp'],
  ]);
});

test.each([
  [{ first: -1, last: 1 }, /barriers.first: expected a whole number from 0 to 5, got -1/],
  [{ first: 2, last: 4 }, /barriers.last: expected a whole number from 0 to 3, got 4/],
  [{ first: 0.5, last: 1 }, /barriers.first: .* got 0.5/],
  [{ first: 3, last: 2 }, /SLEB removes 1 to 0 units, got 0/],
])('barriers %j are refused', async (barriers, message) => {
  await expect(runSearch(sleb, { ...setting, barriers })).rejects.toThrow(message);
});

test('a search stops when it is cancelled, and refuses counts that it cannot reach', async () => {
  const signal = AbortSignal.abort();
  await expect(runSearch(sleb, { ...setting, signal })).rejects.toMatchObject({ code: 'aborted' });
  await expect(runSearch(sleb, { ...setting, count: 4 })).rejects.toThrow(/1 to 3 units, got 4/);
  await expect(runSearch(blockPruner, { ...setting, count: 0 })).rejects.toThrow(/1 to 9 units, got 0/);
});

test('a unit without which the model is broken is never chosen; where all are, the search says so', async () => {
  const broken = (...removed: number[]): typeof probe => ({
    async removalSweep(sequences, removals, options) {
      const losses = await probe.removalSweep(sequences, removals, options);
      const remaining = options?.layers ?? layers;
      return losses.map((loss, i) => (removed.includes(remaining[removals[i]!.layer]!.source) ? Number.NaN : loss));
    },
  });
  // The first candidate is block 1: a comparison with its NaN would keep it.
  const steps = await runSearch(sleb, { ...setting, probe: broken(1), count: 2 });
  expect(steps.map(({ layer }) => layer)).toEqual([2, 3]);
  await expect(runSearch(sleb, { ...setting, probe: broken(0, 1, 2, 3, 4) })).rejects.toMatchObject({
    code: 'non-finite',
  });
});
