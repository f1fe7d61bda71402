import { expect, test } from 'vitest';
import type { ModelShape } from '../../model/shape';
import { emptyPlan, type PruningPlan } from '../../pruning/plan';
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
