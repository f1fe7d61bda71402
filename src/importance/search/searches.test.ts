import { expect, test } from 'vitest';
import type { LayerShape } from '../../model/shape';
import type { Progress } from '../../task';
import type { Probe } from '../criterion';
import { blockPruner, runSearch, sleb, stepScores } from './searches';

const layers: LayerShape[] = [0, 1, 2, 3, 4].map((source) => ({ source, heads: 2, kvHeads: 1, headDim: 4, ffn: 8 }));

/** A model whose loss is the sum of what its missing halves cost: attention of block l costs 10 + l, its MLP 20 − l. */
function costOf(present: readonly LayerShape[]): number {
  return layers.reduce((cost, { source }) => {
    const layer = present.find((each) => each.source === source);
    return cost + (layer && layer.heads > 0 ? 0 : 10 + source) + (layer && layer.ffn > 0 ? 0 : 20 - source);
  }, 0);
}

const probe: Pick<Probe, 'removalSweep'> = {
  async removalSweep(_windows, removals, options) {
    return removals.map(({ layer, part }) => {
      const list = [...(options?.layers ?? layers)];
      const changed = {
        ...list[layer]!,
        ...(part === 'mlp' ? {} : { heads: 0 }),
        ...(part === 'attention' ? {} : { ffn: 0 }),
      };
      list[layer] = changed;
      return costOf(list) / 100;
    });
  },
};
const setting = { probe, layers, windows: [[1, 2]], protectedBlocks: [] };

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

test('BlockPruner removes halves; a block that lost both is gone', async () => {
  const steps = await runSearch(blockPruner, { ...setting, count: 6 });
  expect(steps.map((step) => blockPruner.unitOf(step))).toEqual([0, 2, 4, 6, 8, 9]);
  expect(steps.at(-1)).toMatchObject({ layer: 4, part: 'mlp' });
});

test('protected blocks stay, and the search ends when nothing may go', async () => {
  const steps = await runSearch(sleb, { ...setting, protectedBlocks: [0, 1, 3] });
  expect(steps.map(({ layer }) => layer)).toEqual([2]);
});

test('what was found so far travels with the progress', async () => {
  const reports: Progress[] = [];
  await runSearch(sleb, { ...setting, count: 2, onProgress: (progress) => reports.push(progress) });
  expect(reports.at(-1)).toMatchObject({ done: 2, total: 2 });
  expect(reports.at(-1)?.found?.map(({ layer }) => layer)).toEqual([1, 2]);
});

test('a search stops when it is cancelled, and refuses counts that it cannot reach', async () => {
  const signal = AbortSignal.abort();
  await expect(runSearch(sleb, { ...setting, signal })).rejects.toMatchObject({ code: 'aborted' });
  await expect(runSearch(sleb, { ...setting, count: 4 })).rejects.toThrow(/1 to 3 units, got 4/);
  await expect(runSearch(blockPruner, { ...setting, count: 0 })).rejects.toThrow(/1 to 9 units, got 0/);
});
