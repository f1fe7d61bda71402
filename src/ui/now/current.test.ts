import { expect, test } from 'vitest';
import type { VariantInfo } from '../../lab/contract/types';
import type { PruningPlan } from '../../pruning/plan';
import type { Step } from '../../pruning/variant';
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
  variant: p.removeBlocks.length > 0 ? `v${p.removeBlocks.join()}` : 'base',
  name: 'n',
  plan: p,
  parameters: 1,
  ratio: 0,
  layers: 1,
  ...made,
  perplexity,
  latency: [],
});
const none = { plan: null, ownWeights: null, live: null, base: null, comparison: [], variants: [] };
const patch: Step = { kind: 'patch', sha256: '', bytes: 100, tensors: [] };
/** The variants of rows; those in `patched` have weights of their own. */
const variantsOf = (rows: readonly ComparisonRow[], ...patched: string[]): VariantInfo[] =>
  rows.map(({ variant, name, plan: p }) => {
    const info: unknown = { id: variant, name, plan: p, recipe: patched.includes(variant) ? [patch] : [] };
    return info as VariantInfo;
  });

test('the live number is current only for the plan that it was measured on', () => {
  const live = { selection: { plan: plan(5), ownWeights: null }, result: result(21) };
  expect(currentPerplexity({ ...none, plan: plan(5), live })).toEqual({ result: live.result, fresh: true });
  expect(currentPerplexity({ ...none, plan: plan(5, 6), live })).toEqual({ result: live.result, fresh: false });
});

test('the whole model shows its own number, whatever was measured last', () => {
  const live = { selection: { plan: plan(5), ownWeights: null }, result: result(21) };
  const current = currentPerplexity({ ...none, plan: plan(), live, base: result(20) });
  expect(current?.result.perplexity).toBe(20);
  expect(current?.fresh).toBe(true);
});

test('a benchmarked variant is current without a live number', () => {
  const comparison = [row(plan(5), { 'ort-wasm': result(22, 'ort-wasm') })];
  expect(
    currentPerplexity({ ...none, plan: plan(5), base: result(20), comparison, variants: variantsOf(comparison) }),
  ).toMatchObject({
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
  const variants = variantsOf(comparison);
  expect(evaluatedText({ base, comparison: [] })).toBe('new');
  expect(evaluatedText({ base: null, comparison })).toBe('new');
  // The runtime that measured the same tokens stands in; where none did, the earlier number is shown as such.
  expect(currentPerplexity({ ...none, plan: plan(5), base, comparison, variants })).toMatchObject({
    result: { perplexity: 22 },
  });
  expect(currentPerplexity({ ...none, plan: plan(6), base, comparison, variants })).toEqual({
    result: base,
    fresh: false,
  });
});

test('two variants with one plan and different weights show each its own number', () => {
  const plain = row(plan(5), { wgsl: result(30) });
  const repaired = { ...row(plan(5), { wgsl: result(20) }), variant: 'v9' };
  const comparison = [repaired, plain];
  const state = { ...none, plan: plan(5), comparison, variants: variantsOf(comparison, 'v9') };
  expect(currentPerplexity(state)?.result.perplexity).toBe(30);
  expect(currentPerplexity({ ...state, ownWeights: 'v9' })?.result.perplexity).toBe(20);
  // Nor does the live number of the one stand for the other.
  const live = { selection: { plan: plan(5), ownWeights: 'v9' }, result: result(19) };
  expect(currentPerplexity({ ...state, live })?.result.perplexity).toBe(30);
  expect(currentPerplexity({ ...state, ownWeights: 'v9', live })?.result.perplexity).toBe(19);
});

test('a variant with the base’s shape and weights of its own is not the base', () => {
  const patched = { ...row(plan(), { wgsl: result(9) }), variant: 'v1' };
  const comparison = [row(plan(), { wgsl: result(20) }), patched];
  const state = { ...none, plan: plan(), base: result(20), comparison, variants: variantsOf(comparison, 'v1') };
  expect(currentPerplexity(state)?.result.perplexity).toBe(20);
  expect(currentPerplexity({ ...state, ownWeights: 'v1' })?.result.perplexity).toBe(9);
  expect(basePerplexity(state)?.perplexity).toBe(20);
});
