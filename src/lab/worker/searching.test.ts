/** @file What the lab answers for a search, with an engine that computes nothing. */
import { expect, test } from 'vitest';
import { checkOptions } from '../../importance/measure';
import { criterionOf, type EvolutionEntry, type GreedyEntry } from '../../importance/methods';
import type { LayerShape } from '../../model/shape';
import type { EngineHandle } from './gpu';
import { type SearchWorkspace, searchScores, unitOf } from './searching';

const layers: LayerShape[] = [0, 1, 2, 3].map((source) => ({ source, heads: 2, kvHeads: 1, headDim: 4, ffn: 8 }));
const halves = (present: readonly LayerShape[]) =>
  present.reduce((sum, { source, heads, ffn }) => sum + (heads > 0 ? source : 0) + (ffn > 0 ? 10 + source : 0), 0);
/** The more that is left of the first blocks, the better: the last halves cost most. */
const costOf = (present: readonly LayerShape[]) => halves(layers) - halves(present);
const handle = {
  engine: {
    memory: () => ({ peakBytes: 77, liveBytes: 0, resetPeak: () => undefined }),
    divergence: async (variants: readonly LayerShape[][]) => ({
      kl: variants.map(costOf),
      passes: { made: 1, separate: 2 },
    }),
    score: async () => ({ sumNll: [0], tokens: 1 }),
    removalSweep: async (_: unknown, removals: readonly { layer: number }[]) => removals.map(({ layer }) => layer),
  },
  label: { adapter: 'test', software: true, runtime: 'WGSL engine' },
} as unknown as EngineHandle;
const sleb = criterionOf('sleb') as GreedyEntry;
const evopress = criterionOf('evopress') as EvolutionEntry;
const info = { corpus: 'tokenIds', samples: 1, seqLen: 3, seed: 9, tokens: 3, hash: 'h' };
const on: SearchWorkspace = { handle, layers, calibration: { sequences: [[1, 2, 3]], info } };

test('of EvoPress the set that goes scores 0 and is the order; the rest scores 1', async () => {
  const scores = await searchScores(evopress, on, { unit: 'half', count: 2 }, {});
  expect(scores).toMatchObject({
    criterion: 'evopress',
    unit: 'half',
    scores: [0, 1, 0, 1, 1, 1, 1, 1],
    order: [0, 2],
    protected: [],
    barriers: { first: 0, last: 0 },
    calibration: info,
    peakGpuBytes: 77,
  });
  expect(scores.evolution).toMatchObject({ choice: { seed: 9, count: 2, tokens: [3] }, perplexity: 1 });
});

test('barriers are recorded, asked for or not', async () => {
  expect(await searchScores(sleb, on, { count: 1 }, {})).toMatchObject({ order: [1], barriers: { first: 1, last: 1 } });
  const barriers = { first: 2, last: 0 };
  expect(await searchScores(sleb, on, { count: 1, barriers }, {})).toMatchObject({ order: [2], barriers });
  expect((await searchScores(evopress, on, { count: 1, barriers }, {})).order).toEqual([2]);
});

test('options of other methods are refused; a seed and a count are accepted everywhere', () => {
  const ppl = criterionOf('ppl');
  expect(unitOf(ppl, {})).toBe('block');
  expect(unitOf(ppl, { unit: 'mlp' })).toBe('mlp');
  expect(() => unitOf(criterionOf('taylor'), { unit: 'half' })).toThrow(
    /'taylor' scores attentions and MLPs separately/,
  );
  expect(() => checkOptions(ppl, { barriers: { first: 1, last: 1 } })).toThrow(/barriers: 'ppl' has no such option/);
  expect(() => checkOptions(ppl, { generations: 3 })).toThrow(/generations: 'ppl'/);
  expect(() => checkOptions(sleb, { tokens: [1] })).toThrow(/tokens: 'sleb' has no such option/);
  for (const method of [ppl, sleb, evopress]) expect(() => checkOptions(method, { seed: 1, count: 2 })).not.toThrow();
  const all = { barriers: { first: 0, last: 0 }, generations: 1, offspring: 1, survivors: [1], tokens: [1] };
  expect(() => checkOptions(evopress, all)).not.toThrow();
});
