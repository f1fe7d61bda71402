import { expect, test } from 'vitest';
import type { PruningPlan } from '../../pruning/plan';
import { planKey } from '../../pruning/plan';
import type { ComparisonRow, PerplexityResult, Runtime } from '../../report/results';
import { basePerplexity, currentPerplexity, evaluatedText, rowPerplexity } from './current';

const plan = (...removeBlocks: number[]): PruningPlan => ({
  version: 1,
  model: 'demo',
  removeBlocks,
  removeAttention: [],
  removeMlp: [],
});
const result = (perplexity: number, runtime: Runtime = 'wgsl', hash = ''): PerplexityResult => ({
  perplexity,
  meanNll: Math.log(perplexity),
  tokens: 10,
  milliseconds: 1,
  text: { corpus: 'evaluation', sequences: 1, seqLen: 128, hash },
  runtime,
  device: { adapter: 'a', software: false, runtime },
});
/** How a variant was made matters to none of these. */
const made = { parent: 'base', recipe: [], patchBytes: 0 };
const row = (p: PruningPlan, perplexity: ComparisonRow['perplexity']): ComparisonRow => ({
  variant: 'v',
  name: 'n',
  plan: p,
  parameters: 1,
  ratio: 0,
  layers: 1,
  ...made,
  perplexity,
  latency: [],
});
const none = { plan: null, live: null, base: null, comparison: [] };

test('the live number is current only for the plan that it was measured on', () => {
  const live = { planKey: planKey(plan(5)), result: result(21) };
  expect(currentPerplexity({ ...none, plan: plan(5), live })).toEqual({ result: live.result, fresh: true });
  expect(currentPerplexity({ ...none, plan: plan(5, 6), live })).toEqual({ result: live.result, fresh: false });
});

test('the whole model shows its own number, whatever was measured last', () => {
  const live = { planKey: planKey(plan(5)), result: result(21) };
  const current = currentPerplexity({ ...none, plan: plan(), live, base: result(20) });
  expect(current?.result.perplexity).toBe(20);
  expect(current?.fresh).toBe(true);
});

test('a benchmarked variant is current without a live number', () => {
  const comparison = [row(plan(5), { 'ort-wasm': result(22, 'ort-wasm') })];
  expect(currentPerplexity({ ...none, plan: plan(5), base: result(20), comparison })).toMatchObject({
    fresh: true,
    result: { perplexity: 22 },
  });
});

test('before anything is measured there is nothing to show', () => {
  expect(currentPerplexity({ ...none, plan: plan() })).toBeNull();
  expect(currentPerplexity({ ...none, base: result(20) })).toBeNull();
});

test('runtimes stand in for each other in a fixed order', () => {
  const both = row(plan(), { 'ort-wasm': result(3, 'ort-wasm'), wgsl: result(2) });
  expect(rowPerplexity(both)?.runtime).toBe('wgsl');
  expect(rowPerplexity(row(plan(), {}))).toBeNull();
  expect(basePerplexity({ base: null, comparison: [both] })?.perplexity).toBe(2);
});

test('a variant that was benchmarked on other tokens is not current', () => {
  const comparison = [
    row(plan(), { wgsl: result(20, 'wgsl', 'new') }),
    row(plan(5), { wgsl: result(9, 'wgsl', 'old'), 'ort-wasm': result(22, 'ort-wasm', 'new') }),
    row(plan(6), { wgsl: result(8, 'wgsl', 'old') }),
  ];
  const base = result(20, 'wgsl', 'new');
  expect(evaluatedText({ base, comparison: [] })).toBe('new');
  expect(evaluatedText({ base: null, comparison })).toBe('new');
  // The runtime that measured the same tokens stands in; where none did, the earlier number is shown as such.
  expect(currentPerplexity({ ...none, plan: plan(5), base, comparison })).toMatchObject({ result: { perplexity: 22 } });
  expect(currentPerplexity({ ...none, plan: plan(6), base, comparison })).toEqual({ result: base, fresh: false });
});
