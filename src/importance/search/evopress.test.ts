/** @file EvoPress on a made-up model: what it asks of the engine, what it answers, what it refuses. */
import { describe, expect, test } from 'vitest';
import type { LayerShape } from '../../model/shape';
import type { EvolutionSetting } from '../method';
import { evolutionMethods } from '../methods';
import { chooseEvolution, searchByEvolution } from './evopress';
import type { SearchProgress } from './found';

const layers: LayerShape[] = [0, 1, 2, 3, 4, 5].map((source) => ({ source, heads: 2, kvHeads: 1, headDim: 4, ffn: 8 }));
/** Eight sequences of ten tokens, and one that predicts nothing. */
const sequences = [...Array.from({ length: 8 }, (_, index) => Array.from({ length: 10 }, () => index)), [1]];

/** Attention of block l costs 10 + l, its MLP 20.5 − 3 l: cheapest are the MLPs of the last blocks. */
const costOf = (present: readonly LayerShape[]): number =>
  layers.reduce((cost, { source }) => {
    const layer = present.find((each) => each.source === source);
    return cost + (layer && layer.heads > 0 ? 0 : 10 + source) + (layer && layer.ffn > 0 ? 0 : 20.5 - 3 * source);
  }, 0);

const asked: { variants: number; tokens: number }[] = [];
const probe: EvolutionSetting['probe'] = {
  async divergence(variants, chosen) {
    asked.push({ variants: variants.length, tokens: chosen.flat().length });
    return { kl: variants.map(costOf), passes: { made: variants.length, separate: 2 * variants.length } };
  },
  score: async (present) => ({ sumNll: [costOf(present)], tokens: 1 }),
};
const [record] = evolutionMethods;
const setting: EvolutionSetting = {
  record: record!,
  probe,
  layers,
  sequences,
  protectedBlocks: [],
  request: {},
  seed: 3,
};

test.each([
  ['block', 2, [4, 5]],
  ['attention', 2, [0, 1]],
  ['mlp', 3, [3, 4, 5]],
] as const)('%s: the set of %i that costs least', async (unit, count, expected) => {
  const found = await searchByEvolution({ ...setting, request: { unit, count } });
  expect(found.removed).toEqual(expected.map((layer) => ({ layer, part: unit })));
  expect(found.choice).toMatchObject({ unit, count, seed: 3, offspring: 16, tokens: [20, 80], survivors: [4, 1] });
  expect(found.trace).toHaveLength(found.choice.generations + 1);
  expect(Math.log(found.perplexity)).toBeCloseTo(found.trace.at(-1)!.kl, 9);
  expect(found.passes.separate).toBe(2 * found.passes.made);
});

test('sub-blocks of either kind compete', async () => {
  const found = await searchByEvolution({ ...setting, request: { unit: 'half', count: 4 } });
  expect(found.removed).toEqual([
    { layer: 0, part: 'attention' },
    { layer: 1, part: 'attention' },
    { layer: 4, part: 'mlp' },
    { layer: 5, part: 'mlp' },
  ]);
  expect(found.trace.at(-1)!.kl).toBe(10 + 11 + 8.5 + 5.5);
});

test('the first stage takes whole sequences up to its tokens, the last one all that predict', async () => {
  asked.length = 0;
  await searchByEvolution({ ...setting, request: { count: 2, tokens: [15, 80], generations: 1 } });
  expect(asked.map(({ tokens }) => tokens)).toEqual([20, 80, 20, 80]);
});

test('protected blocks and those behind the barriers stay', async () => {
  const ends = { ...setting, protectedBlocks: [4], barriers: { first: 1, last: 1 } };
  const found = await searchByEvolution({ ...ends, request: { count: 2 } });
  expect(found.removed.map(({ layer }) => layer)).toEqual([2, 3]);
  await expect(searchByEvolution({ ...ends, request: { count: 4 } })).rejects.toThrow(/removes 1 to 3 units, got 4/);
});

test('the best so far travels with the progress, and a cancelled search stops', async () => {
  const seen: SearchProgress[] = [];
  const controller = new AbortController();
  const onProgress = (progress: SearchProgress) => {
    seen.push(progress);
    if (progress.evolution?.trace.length === 3) controller.abort();
  };
  const request = { count: 2, generations: 9 };
  const search = searchByEvolution({ ...setting, request, onProgress, signal: controller.signal });
  await expect(search).rejects.toMatchObject({ code: 'aborted' });
  const last = seen.at(-1)!;
  expect(last).toMatchObject({ stage: 'evolution', total: 10, unit: 'generations' });
  expect(last.evolution!.trace.map(({ generation }) => generation)).toEqual([0, 1, 2]);
  const layersLeft = layers.filter(({ source }) => !last.evolution!.removed.some(({ layer }) => layer === source));
  expect(last.evolution!.trace.at(-1)!.kl).toBe(costOf(layersLeft));
});

test('one seed gives one answer', async () => {
  const run = (seed: number) => searchByEvolution({ ...setting, request: { count: 3, generations: 2, seed } });
  expect(await run(5)).toEqual(await run(5));
});

describe('what is refused before anything is measured', () => {
  test.each([
    [{ count: 6 }, /count: EvoPress removes 1 to 5 units, got 6/],
    [{ count: 0.5 }, /got 0.5/],
    [{ generations: -1 }, /generations: expected a whole number from 0/],
    [{ offspring: 0 }, /offspring: expected a whole number from 1/],
    [{ tokens: [81] }, /tokens\[0\]: expected a whole number from 1 to 80, got 81/],
    [{ tokens: [40, 20] }, /tokens\[1\]: expected a whole number from 40/],
    [{ tokens: [40], survivors: [2, 1] }, /stages \(survivors\): expected a whole number from 1 to 1, got 2/],
    [{ survivors: [2, 4] }, /survivors\[1\]: .* from 1 to 1, got 4/],
    [{ tokens: 80 as unknown as number[] }, /tokens: expected a list/],
    [{ unit: 'head' as 'block' }, /unit: expected one of block, attention, mlp, half, got "head"/],
    [{ seed: 0.5 }, /seed/],
  ])('%j', (request, message) => {
    expect(() => chooseEvolution({ ...setting, request })).toThrow(message);
  });
});

test('the defaults follow EvoPress: generations from the size of the space', () => {
  expect(chooseEvolution({ ...setting, request: {} })).toEqual({
    unit: 'block',
    count: 2,
    generations: Math.ceil((2 * 4) / 1.5),
    offspring: 16,
    survivors: [4, 1],
    tokens: [20, 80],
    seed: 3,
  });
  expect(chooseEvolution({ ...setting, sequences: [[1, 2]], request: {} })).toMatchObject({
    tokens: [2],
    survivors: [1],
  });
});
