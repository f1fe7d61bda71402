import { expect, test } from 'vitest';
import { emptyPlan, type PruningPlan } from '../pruning/plan';
import { recipeOf } from '../pruning/variant';
import type { ComparisonRow, LatencyResult } from './results';
import { sideOf, verdictsOf } from './verdict';

const device = { adapter: 'CPU', software: false, runtime: 'ONNX Runtime' };
const text = { corpus: 'built-in', sequences: 1, seqLen: 128, hash: 'abc' };
const blocks: PruningPlan = { ...emptyPlan('m'), removeBlocks: [1] };
const heads: PruningPlan = { ...emptyPlan('m'), keepHeads: [[0], null] };

function latency(batch: number, speedUp?: [ratio: number, low: number, high: number], peakBytes = 2 ** 20) {
  const counts = { promptTokens: 12, newTokens: 20, runs: 6, warmups: 1 };
  const times = { prefillMs: 1, decodeMsPerToken: 1, latencyMs: 20, throughput: 1000, spread: 1 };
  const result: LatencyResult = { batch, ...times, ...counts, peakBytes, runtime: 'ort-wasm', device };
  if (!speedUp) return result;
  const [ratio, low, high] = speedUp;
  return { ...result, speedUp: { ratio, low, high, against: 'base', decode: null, pairs: 6, inTurns: true } };
}

function row(name: string, plan: PruningPlan, perplexity: number, times: LatencyResult[]): ComparisonRow {
  const result = { perplexity, meanNll: Math.log(perplexity), tokens: 127, milliseconds: 1, text, device };
  const variant = name === 'original model' ? 'base' : name;
  return {
    ...{ variant, name, plan, parameters: 1, ratio: 0, layers: 2, parent: null, recipe: recipeOf(plan), patchBytes: 0 },
    perplexity: Number.isNaN(perplexity) ? {} : { wgsl: { ...result, runtime: 'wgsl' } },
    latency: times,
  };
}

const base = row('original model', emptyPlan('m'), 2, [latency(1, undefined, 3 * 2 ** 20)]);
const ppl = row('PPL', blocks, 3, [latency(1, [1.24, 1.2, 1.28])]);
const taylor = row('Taylor', blocks, 5, [latency(1, [1.2, 1.1, 1.3])]);
const flap = row('FLAP', heads, 2.5, [latency(1, [1.05, 0.99, 1.11], 2 ** 21)]);

test('a plan has the side of what it removes', () => {
  expect([emptyPlan('m'), blocks, heads, { ...heads, removeMlp: [1] }].map(sideOf)).toEqual([
    null,
    'depth',
    'width',
    'mixed',
  ]);
});

test('heads and neurons win the perplexity, blocks the latency; sentences name numbers and spread', () => {
  const [quality, speed, memory] = verdictsOf([base, ppl, taylor, flap]);
  expect(quality).toMatchObject({ measure: 'perplexity', best: 'FLAP', winner: 'width', batch: null });
  expect(quality!.text).toBe(
    'Perplexity: FLAP is best with 2.500 (original model 2.000). The best variant by removing blocks, PPL, has 3.000, 20 % more. ' +
      'The 2 variants by removing blocks have 3.000 to 5.000. Measured on 127 tokens with the WGSL engine.',
  );
  // PPL and Taylor overlap: blocks win, no single variant does.
  expect(speed).toMatchObject({ measure: 'latency', runtime: 'ort-wasm', batch: 1, best: null, winner: 'depth' });
  expect(speed!.text).toBe(
    'Latency, batch 1: PPL is 1.24 times as fast as the original model (95 % interval 1.20 to 1.28). ' +
      'The fastest variant by removing heads and neurons, FLAP, is 1.05 times as fast as the original model (95 % interval 0.99 to 1.11). ' +
      'ONNX Runtime on the CPU, 6 rounds.',
  );
  expect(memory).toMatchObject({ measure: 'memory', winner: 'depth' });
  expect(memory!.text).toContain('PPL needs least, 1.0 MiB (original model 3.0 MiB)');
});

test('where intervals overlap, or reach below 1, nobody wins', () => {
  const close = row('FLAP', heads, 3, [latency(1, [1.22, 1.19, 1.25])]);
  const tied = verdictsOf([base, ppl, close]);
  expect(tied.map(({ winner }) => winner)).toEqual([null, null, null]);
  expect(tied[1]!.text).toContain('the runs show no difference between the two.');
  const slow = row('PPL', blocks, 3, [latency(1, [1.02, 0.99, 1.05])]);
  const slower = row('FLAP', heads, 3, [latency(1, [0.8, 0.7, 0.9])]);
  const [, none] = verdictsOf([base, slow, slower]);
  expect(none).toMatchObject({ best: null, winner: null });
  expect(none!.text).toContain('do not show that any variant is faster than the original model');
});

test('one side alone has a best variant and no winner; batches are apart; without numbers nothing is said', () => {
  const two = row('PPL', blocks, 3, [latency(8, [2, 1.9, 2.1]), latency(1, [1.24, 1.2, 1.28])]);
  const found = verdictsOf([base, two]);
  expect(found.map(({ measure, batch, best, winner }) => [measure, batch, best, winner])).toEqual([
    ['perplexity', null, 'PPL', null],
    ['latency', 1, 'PPL', null],
    ['latency', 8, 'PPL', null],
    ['memory', 1, 'PPL', null],
    ['memory', 8, 'PPL', null],
  ]);
  expect(verdictsOf([base, row('PPL', blocks, Number.NaN, [])])).toEqual([]);
  expect(verdictsOf([])).toEqual([]);
});

test('a perplexity beyond all numbers is the worst, and said so', () => {
  const broken = row('PPL', blocks, Number.POSITIVE_INFINITY, []);
  const [verdict] = verdictsOf([base, broken, flap]);
  expect(verdict).toMatchObject({ best: 'FLAP', winner: 'width' });
  expect(verdict!.text).toContain('PPL, has an infinite value.');
});
