import { expect, test } from 'vitest';
import { block, tinyShape } from '../engine/testing/testWeights';
import { planBeyond } from './beyond';
import { emptyPlan, planOfUnits } from './plan';

const base = tinyShape([0, 1, 2, 3].map((source) => block(source)));
const plan = (
  blocks: number[],
  rest: {
    attention?: number[];
    mlp?: number[];
    heads?: Record<number, number[]>;
    neurons?: Record<number, number[]>;
  } = {},
) => {
  const list = (kept: Record<number, number[]> = {}) => [0, 1, 2, 3].map((layer) => kept[layer] ?? null);
  const units = [
    ...blocks.map((layer) => ({ kind: 'block', layer }) as const),
    ...(rest.attention ?? []).map((layer) => ({ kind: 'attention', layer }) as const),
    ...(rest.mlp ?? []).map((layer) => ({ kind: 'mlp', layer }) as const),
  ];
  return planOfUnits('m', units, { keepHeads: list(rest.heads), keepNeurons: list(rest.neurons) });
};

test('from the base a plan is itself', () => {
  const after = plan([1], { attention: [0], heads: { 2: [0, 1] }, neurons: { 3: [4, 5] } });
  expect(planBeyond(base, emptyPlan('m'), after)).toEqual(after);
});

test('indices are those of what the first plan leaves', () => {
  const before = plan([0], { mlp: [1], heads: { 2: [0, 1] }, neurons: { 3: [4, 5, 8, 43] } });
  const after = plan([0, 3], { mlp: [1], attention: [2], neurons: { 2: [1, 3] } });
  const beyond = planBeyond(base, before, after);
  expect(beyond).toMatchObject({ removeBlocks: [2], removeAttention: [1], removeMlp: [] });
  expect(beyond.keepNeurons).toEqual([null, [1, 3], null]);
  const narrower = planBeyond(base, before, plan([0], { mlp: [1], heads: { 2: [0, 1] }, neurons: { 3: [5, 43] } }));
  expect(narrower.keepNeurons).toEqual([null, null, [1, 3]]);
  expect(narrower.keepHeads).toBeUndefined();
});

test('nothing beyond the same plan, nor where a block goes whose MLP was gone', () => {
  const before = plan([0], { mlp: [1], heads: { 2: [0, 2] } });
  expect(planBeyond(base, before, before)).toEqual(planOfUnits('m', []));
  expect(planBeyond(base, before, plan([0, 1], { heads: { 2: [0, 2] } })).removeBlocks).toEqual([0]);
});

test.each([
  [plan([0, 1]), plan([1]), 'block 0'],
  [plan([], { attention: [2] }), plan([], { mlp: [2] }), 'attention 2'],
  [plan([], { mlp: [2] }), plan([], { neurons: { 2: [1] } }), 'mlp 2'],
  [plan([], { heads: { 1: [0, 1] } }), plan([], { heads: { 1: [2, 3] } }), 'head 1.2, head 1.3'],
  [plan([], { heads: { 1: [0, 1] } }), plan([]), 'head 1.2, head 1.3'],
  [
    plan([], { neurons: { 1: [0] } }),
    plan([]),
    'neuron 1.1, neuron 1.2, neuron 1.3, neuron 1.4, neuron 1.5, neuron 1.6, neuron 1.7, neuron 1.8 and 35 more',
  ],
])('what the parent lacks cannot come back', (before, after, missing) => {
  expect(() => planBeyond(base, before, after)).toThrow(`but the plan keeps ${missing}.`);
});
