import { expect, test } from 'vitest';
import type { ModelShape } from '../../model/shape';
import { emptyPlan, type PruningPlan } from '../../pruning/plan';
import { restoreRows } from '../../report/record';
import type { LatencyResult, PerplexityResult } from '../../report/results';
import { Variants } from './variants';

const shape: ModelShape = {
  family: 'llama',
  vocab: 10,
  hidden: 4,
  layers: [0, 1, 2].map((source) => ({ source, heads: 2, kvHeads: 1, headDim: 2, ffn: 3 })),
  normEps: 1e-5,
  ropeTheta: 10000,
  maxPositions: 16,
  tiedHead: true,
};
const without = (...removeBlocks: number[]): PruningPlan => ({ ...emptyPlan('m'), removeBlocks });
const device = { adapter: 'test', software: true, runtime: 'test' };
const ppl = (perplexity: number): PerplexityResult => ({
  perplexity,
  meanNll: Math.log(perplexity),
  tokens: 10,
  milliseconds: 1,
  text: { corpus: 'evaluation', sequences: 1, seqLen: 128, hash: '' },
  runtime: 'wgsl',
  device,
});

test('base is there, variants are numbered, equal plans are one variant', () => {
  const variants = new Variants('m', shape);
  const first = variants.add(without(1));
  expect(first).toMatchObject({ id: 'v1', name: 'without 1' });
  expect(first.shape.layers.map((layer) => layer.source)).toEqual([0, 2]);
  expect(variants.add({ ...without(1, 1) }).id).toBe('v1');
  expect(variants.add(without(1), 'mine').id).toBe('v2');
  expect(variants.list().map((info) => info.id)).toEqual(['base', 'v1', 'v2']);
});

test('discarding forgets the variant; base stays', () => {
  const variants = new Variants('m', shape);
  variants.add(without(0));
  variants.discard('v1');
  expect(() => variants.resolve('v1')).toThrow(/expected one of base, got 'v1'/);
  expect(() => variants.discard('base')).toThrow(/cannot be discarded/);
});

test('a plan resolves without being kept', () => {
  const variants = new Variants('m', shape);
  const resolved = variants.resolve(without(0, 2));
  expect(resolved.id).toBeNull();
  expect(resolved.shape.layers.map((layer) => layer.source)).toEqual([1]);
  expect(variants.list()).toHaveLength(1);
});

test('the comparison keeps the newest number of each kind', () => {
  const variants = new Variants('m', shape);
  const latency = (batch: number, latencyMs: number): LatencyResult => ({
    batch,
    prefillMs: 1,
    decodeMsPerToken: 1,
    latencyMs,
    throughput: 1,
    spread: 0,
    peakBytes: 1,
    runtime: 'ort-wasm',
    promptTokens: 12,
    newTokens: 128,
    runs: 3,
    warmups: 1,
    device,
  });
  variants.recordPerplexity('base', ppl(5));
  variants.recordPerplexity('base', ppl(6));
  variants.recordLatency('base', [latency(1, 10), latency(2, 20)]);
  variants.recordLatency('base', [latency(1, 11)]);
  const [row] = variants.comparison();
  expect(row?.perplexity.wgsl?.perplexity).toBe(6);
  expect(row?.latency.map(({ batch, latencyMs }) => [batch, latencyMs])).toEqual([
    [2, 20],
    [1, 11],
  ]);
});

test('a speed-up stays when the same is timed again alone, goes when it is measured anew, and is restored', () => {
  const variants = new Variants('m', shape);
  const { id } = variants.add({ ...emptyPlan('m'), removeBlocks: [1] });
  const timed: LatencyResult = {
    batch: 1,
    prefillMs: 1,
    decodeMsPerToken: 1,
    latencyMs: 10,
    throughput: 1,
    spread: 0,
    peakBytes: 1,
    runtime: 'ort-wasm',
    promptTokens: 12,
    newTokens: 128,
    runs: 3,
    warmups: 1,
    device,
  };
  const speedUp = { ratio: 1.3, low: 1.2, high: 1.4, against: 'base', decode: null, pairs: 3, inTurns: true };
  variants.recordLatency(id, [{ ...timed, speedUp }]);
  variants.recordLatency(id, [{ ...timed, latencyMs: 11 }]);
  const speedUps = () => variants.comparison().flatMap((row) => row.latency.map((each) => each.speedUp));
  expect(speedUps()).toEqual([speedUp]);
  const restored = new Variants('m', shape);
  restored.restore(variants.comparison());
  expect(restored.comparison()).toEqual(variants.comparison());
  variants.recordLatency(id, [{ ...timed, speedUp: { ...speedUp, ratio: 2 } }]);
  expect(speedUps()).toEqual([{ ...speedUp, ratio: 2 }]);
  variants.recordLatency(id, [{ ...timed, newTokens: 8 }]);
  expect(speedUps()).toEqual([undefined]);
});

/** A session with two variants of one plan under two names, each with numbers of its own. */
function measured(): Variants {
  const variants = new Variants('m', shape);
  variants.add(without(1));
  variants.add(without(1), 'twin');
  variants.add(without(0, 2));
  variants.recordPerplexity('base', ppl(4));
  variants.recordPerplexity('v1', ppl(5));
  variants.recordPerplexity('v2', { ...ppl(6), meanNll: 800, perplexity: Number.POSITIVE_INFINITY });
  return variants;
}

test('a new session gets the same rows back, under their ids, and numbers its next variant behind them', () => {
  const rows = measured().comparison();
  const restored = new Variants('m', shape);
  restored.restore(restoreRows(JSON.parse(JSON.stringify(rows))));
  expect(restored.comparison()).toEqual(rows);
  expect(restored.add(without(0)).id).toBe('v4');
  // Again is no other variant.
  restored.restore(rows);
  expect(restored.list().map(({ id }) => id)).toEqual(['base', 'v1', 'v2', 'v3', 'v4']);
});

test('a session that has variants of its own keeps their numbers, and restored ones get new ids', () => {
  const session = new Variants('m', shape);
  session.add(without(2), 'own');
  session.recordPerplexity('v1', ppl(50));
  const [base, first, ...rest] = measured().comparison();
  const speedUp = { ratio: 2, low: 1, high: 3, against: 'v1', decode: null, pairs: 3, inTurns: true };
  const times = { batch: 1, prefillMs: 1, decodeMsPerToken: 1, latencyMs: 1, throughput: 1, spread: 0, peakBytes: 1 };
  const latency: LatencyResult = {
    ...times,
    ...{ runtime: 'ort-wasm', promptTokens: 1, newTokens: 1, runs: 2, warmups: 0, device, speedUp },
  };
  const [second, third] = rest;
  session.restore([base!, first!, { ...second!, parent: 'v1', latency: [latency] }, third!]);
  const rows = session.comparison();
  const perplexities = rows.map(({ variant, name, perplexity }) => [variant, name, perplexity.wgsl?.perplexity]);
  expect(perplexities).toEqual([
    ['base', rows[0]!.name, 4],
    ['v1', 'own', 50],
    ['v2', 'without 1', 5],
    ['v3', 'twin', Number.POSITIVE_INFINITY],
    ['v4', 'without 0, 2', undefined],
  ]);
  // What a row says of another one follows its new id.
  const twin = rows.find(({ name }) => name === 'twin');
  expect(twin).toMatchObject({ parent: 'v2', latency: [{ speedUp: { against: 'v2' } }] });
});

test('weights of its own keep a variant apart from one of the same plan and name', () => {
  const [, row] = measured().comparison();
  const patch = { kind: 'patch', sha256: 'ab', bytes: 8, tensors: [] } as const;
  const own = { ...row!, variant: 'v9', recipe: [...row!.recipe, patch], patchBytes: 8, perplexity: { wgsl: ppl(9) } };
  const session = new Variants('m', shape);
  session.restore([row!, own]);
  const rows = session.comparison().slice(1);
  expect(rows.map(({ variant, patchBytes, perplexity }) => [variant, patchBytes, perplexity.wgsl?.perplexity])).toEqual(
    [
      ['v1', 0, 5],
      ['v9', 8, 9],
    ],
  );
});

test('rows of another model change nothing', () => {
  const session = new Variants('m', shape);
  const rows = measured().comparison();
  const foreign = { ...rows[1]!, plan: { ...without(1), model: 'other' } };
  expect(() => session.restore([...rows, foreign])).toThrow("The plan is for model 'other', but 'm' is open.");
  expect(session.list()).toHaveLength(1);
});
