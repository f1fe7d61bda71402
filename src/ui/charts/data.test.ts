import { expect, test } from 'vitest';
import type { VariantInfo } from '../../lab/contract/types';
import type { PruningPlan } from '../../pruning/plan';
import type { Step } from '../../pruning/variant';
import type { ComparisonRow, LatencyResult, PerplexityResult, Runtime } from '../../report/results';
import type { Scores } from '../../report/scores';
import { colourScale } from '../strip/colourScale';
import { latencyBars, latencySeries } from './latencyData';
import { bestPerSize, qualityPoints } from './qualityData';
import { barPairs, scoresView } from './scoresData';

const plan = (...removeBlocks: number[]): PruningPlan => ({
  version: 1,
  model: 'demo',
  removeBlocks,
  removeAttention: [],
  removeMlp: [],
});
const device = { adapter: 'CPU', software: false, runtime: 'r' };
const ppl = (perplexity: number, runtime: Runtime = 'wgsl'): PerplexityResult => ({
  perplexity,
  meanNll: 0,
  tokens: 10,
  milliseconds: 1,
  text: { corpus: 'evaluation', sequences: 1, seqLen: 128, hash: '' },
  runtime,
  device,
});
const latency = (latencyMs: number, runtime: Runtime = 'ort-wasm', batch = 1): LatencyResult => ({
  batch,
  prefillMs: latencyMs / 10,
  decodeMsPerToken: latencyMs / 100,
  latencyMs,
  throughput: 1,
  spread: 2,
  peakBytes: 1,
  runtime,
  promptTokens: 12,
  newTokens: 128,
  runs: 5,
  warmups: 1,
  device,
});
/** How a variant was made matters to none of these. */
const made = { parent: 'base', recipe: [], patchBytes: 0 };
const row = (
  variant: string,
  p: PruningPlan,
  ratio: number,
  perplexity: ComparisonRow['perplexity'],
  times: LatencyResult[] = [],
): ComparisonRow => ({
  variant,
  name: variant,
  plan: p,
  parameters: 1,
  ratio,
  layers: 1,
  perplexity,
  latency: times,
  ...made,
});

const speedUp = { ratio: 1.3, low: 1.1, high: 1.5, against: 'base', decode: null, pairs: 5, inTurns: true };
const rows = [
  row('base', plan(), 0, { wgsl: ppl(20) }, [latency(600), latency(2000, 'ort-webgpu')]),
  row('v1', plan(5), 0.1, { wgsl: ppl(22) }, [{ ...latency(500), speedUp }]),
  row('v2', plan(6), 0.1, { 'ort-wasm': ppl(21, 'ort-wasm') }, [latency(400), latency(300)]),
  row('v3', plan(7), 0.1, {}),
];
const patch: Step = { kind: 'patch', sha256: '', bytes: 100, tensors: [] };
const variantsOf = (comparison: readonly ComparisonRow[], ...patched: string[]): VariantInfo[] =>
  comparison.map(({ variant, name, plan: p }) => {
    const info: unknown = { id: variant, name, plan: p, recipe: patched.includes(variant) ? [patch] : [] };
    return info as VariantInfo;
  });
const none = { base: null, live: null, plan: null, ownWeights: null, draft: null, variants: [] };
const state = { ...none, comparison: rows, variants: variantsOf(rows), plan: plan() };

test('a variant measured on other tokens than the whole model has no point', () => {
  const on = (hash: string, value: number): PerplexityResult => ({ ...ppl(value), text: { ...ppl(value).text, hash } });
  const row = (removed: number[], result: PerplexityResult): ComparisonRow => ({
    variant: removed.length > 0 ? `v${removed.length}` : 'base',
    name: 'n',
    plan: plan(...removed),
    parameters: 1,
    ratio: removed.length / 10,
    layers: 1,
    ...made,
    perplexity: { wgsl: result },
    latency: [],
  });
  const comparison = [row([], on('new', 20)), row([1], on('new', 21)), row([1, 2], on('old', 3))];
  const points = qualityPoints({ ...none, comparison });
  expect(points.map(({ perplexity }) => perplexity)).toEqual([20, 21]);
});

test('every variant with a perplexity is a point; the edited plan is marked', () => {
  const points = qualityPoints({ ...state, plan: plan(5) });
  expect(points.map((p) => [p.label, p.kind, p.kept, p.perplexity, p.now])).toEqual([
    ['original model', 'base', 100, 20, false],
    ['−6', 'depth', 90, 21, false],
    ['−5', 'depth', 90, 22, true],
  ]);
});

test('the edited plan is a point before it is a variant, and the base before the comparison has it', () => {
  const edited = plan(1, 2);
  const points = qualityPoints({
    ...none,
    comparison: [],
    base: ppl(20),
    live: { selection: { plan: edited, ownWeights: null }, result: ppl(30) },
    plan: edited,
    draft: { parameters: 1, ratio: 0.2, shape: {} as never },
  });
  expect(points.map((p) => [p.label, p.kept, p.now])).toEqual([
    ['original model', 100, false],
    ['−1, 2', 80, true],
  ]);
});

test('a live number of an earlier plan, or an infinite one, is no point', () => {
  const stale = { selection: { plan: plan(9), ownWeights: null }, result: ppl(30) };
  const draft = { parameters: 1, ratio: 0.2, shape: {} as never };
  expect(qualityPoints({ ...state, plan: plan(1), live: stale, draft }).length).toBe(3);
  const broken = { selection: { plan: plan(1), ownWeights: null }, result: ppl(Number.POSITIVE_INFINITY) };
  expect(qualityPoints({ ...state, plan: plan(1), live: broken, draft }).length).toBe(3);
});

test('variants with one plan and different weights are points of their own, by name', () => {
  const repaired = { ...row('v9', plan(5), 0.1, { wgsl: ppl(21.5) }), recipe: [patch] };
  const patchedBase = { ...row('v10', plan(), 0, { wgsl: ppl(19) }), recipe: [patch] };
  const comparison = [...rows, repaired, patchedBase];
  const variants = variantsOf(comparison, 'v9', 'v10');
  const points = qualityPoints({ ...state, comparison, variants, plan: plan(5), ownWeights: 'v9' });
  expect(points.map((p) => [p.key, p.label, p.kind, p.perplexity, p.now])).toEqual([
    ['v10', 'v10', 'depth', 19, false],
    ['base', 'original model', 'base', 20, false],
    ['v2', '−6', 'depth', 21, false],
    ['v9', 'v9', 'depth', 21.5, true],
    ['v1', '−5', 'depth', 22, false],
  ]);
});

test('the line joins the points that no smaller one is better than', () => {
  const points = qualityPoints(state);
  expect(bestPerSize(points).map((p) => p.label)).toEqual(['original model', '−6']);
  const [one] = points;
  const at = (label: string, kept: number, perplexity: number) => ({ ...one!, label, kept, perplexity });
  const some = [
    at('whole', 100, 20),
    at('worse', 90, 25),
    at('smaller', 80, 21),
    at('twin', 80, 22),
    at('least', 70, 30),
  ];
  expect(bestPerSize(some).map((p) => p.label)).toEqual(['whole', 'smaller', 'least']);
});

test('times of different runtimes are different series', () => {
  expect(latencySeries(rows).map(({ key }) => key)).toEqual(['ort-wasm 1', 'ort-webgpu 1']);
  expect(latencyBars(rows, 'ort-webgpu 1', null).map((bar) => bar.variant)).toEqual(['base']);
});

test('bars: the whole model first, the newest time of each, a speed-up where it was measured and not inferred', () => {
  const bars = latencyBars([rows[1]!, rows[0]!, rows[2]!, rows[3]!], 'ort-wasm 1', 'v2');
  expect(bars.map((bar) => [bar.variant, bar.latencyMs, bar.speedUp, bar.now])).toEqual([
    ['base', 600, null, false],
    ['v1', 500, speedUp, false],
    ['v2', 300, null, true],
  ]);
});

test('bars of scores end where the colours end, and say so', () => {
  const values = [8276, 36, 32, 27, 24, 23.5, 23, 23.2];
  const scores = { scores: values, window: 1 } as unknown as Scores;
  const view = scoresView({ mode: 'blocks', criterion: 'ppl', scores, scale: colourScale(values) }, 8, new Set([5]));
  expect(view.log).toBe(true);
  expect(view.domain[0]).toBeLessThan(23);
  expect(view.domain[1]).toBeLessThan(60);
  expect(view.bars[0]).toMatchObject({ score: 8276, drawn: view.domain[1], beyond: true });
  expect(view.bars[5]).toMatchObject({ score: 23.5, drawn: 23.5, removed: true });
});

test('a window leaves the last blocks without a bar', () => {
  const values = [0.3, 0.1, 0.2];
  const scores = { scores: values, window: 2 } as unknown as Scores;
  const view = scoresView({ mode: 'blocks', criterion: 'angular', scores, scale: colourScale(values) }, 4, new Set());
  expect(view.log).toBe(false);
  expect(view.bars.map((bar) => bar.drawn)).toEqual([0.3, 0.1, 0.2, null]);
  expect(view.bars[1]?.name).toBe('blocks 1–2');
});

test('sub-blocks stand in pairs, attention first', () => {
  const values = [5, 6, 7, 8];
  const scores = { scores: values, window: 1 } as unknown as Scores;
  const view = scoresView({ mode: 'subBlocks', criterion: 'ppl', scores, scale: colourScale(values) }, 4, new Set([3]));
  const pairs = barPairs(view.bars);
  expect(pairs.map(({ attention, mlp }) => [attention.name, mlp.name])).toEqual([
    ['attention of block 0', 'MLP of block 0'],
    ['attention of block 1', 'MLP of block 1'],
  ]);
  expect(pairs.map(({ attention, mlp }) => [attention.removed, mlp.removed])).toEqual([
    [false, false],
    [false, true],
  ]);
});
