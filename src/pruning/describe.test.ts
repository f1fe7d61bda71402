import { expect, test } from 'vitest';
import type { LayerShape } from '../model/shape';
import { describePlan } from './describe';
import { emptyPlan, type KeptByLayer, planOfUnits } from './plan';
import { blockRanges, ruleSentences } from './widthRule';

const layer: LayerShape = { source: 0, heads: 8, kvHeads: 4, headDim: 8, ffn: 172 };
const shape = { layers: Array.from({ length: 5 }, () => layer) };
const wide = { layers: Array.from({ length: 40 }, () => ({ ...layer, heads: 32, kvHeads: 32, ffn: 11008 })) };

const first = (count: number) => Array.from({ length: count }, (_, index) => index);
const everywhere = (count: number, layers = shape.layers): KeptByLayer => layers.map(() => first(count));
const blocks = (...layers: number[]) => layers.map((index) => ({ kind: 'block', layer: index }) as const);

test('blocks and sub-blocks as before', () => {
  expect(describePlan(emptyPlan('m'), shape)).toBe('original model');
  expect(describePlan(planOfUnits('m', blocks(1, 3)), shape)).toBe('without 1, 3');
  const attention = { kind: 'attention', layer: 0 } as const;
  expect(describePlan(planOfUnits('m', [attention, ...blocks(3)]), shape)).toBe('without 3; attention 0');
});

test('the same of every block', () => {
  const plan = planOfUnits('m', [], { keepHeads: everywhere(6), keepNeurons: everywhere(129) });
  expect(describePlan(plan, shape)).toBe('without 2 of 8 heads and 43 of 172 neurons per block');
  expect(describePlan(planOfUnits('m', [], { keepNeurons: everywhere(86) }), shape)).toBe(
    'without 86 of 172 neurons per block',
  );
});

test('other amounts in other blocks, or blocks gone too', () => {
  const keepHeads = [first(6), null, null, null, null];
  const plan = planOfUnits('m', blocks(4), { keepHeads, keepNeurons: everywhere(86) });
  // 2 of 32 heads and 4 · 86 of 4 · 172 neurons in the four blocks that stay.
  expect(describePlan(plan, shape)).toBe('without 4; 6 % of heads, 50 % of neurons');
  const few = planOfUnits('m', [], { keepNeurons: [first(171), null, null, null, null] });
  expect(describePlan(few, shape)).toBe('without < 1 % of neurons');
});

test('the method in front, and never longer than 60 characters', () => {
  const kept = { keepHeads: everywhere(20, wide.layers), keepNeurons: everywhere(8832, wide.layers) };
  expect(describePlan(planOfUnits('m', [], kept), wide)).toBe(
    'without 12 of 32 heads and 2176 of 11008 neurons per block',
  );
  const plan = { ...planOfUnits('m', [], kept), rule: { method: 'llm-pruner', ratio: 0.2 } as const };
  expect(describePlan(plan, wide)).toBe('LLM-Pruner: without 38 % of heads, 20 % of neurons');
  expect(describePlan(plan, wide, 'Best')).toBe('Best: without 38 % of heads, 20 % of neurons');
  const many = planOfUnits('m', blocks(...first(16).map((index) => 2 * index)), kept);
  expect(describePlan(many, wide)).toBe('without 16 blocks, 38 % of heads, 20 % of neurons');
  const run = planOfUnits('m', blocks(...first(17)), kept);
  expect(describePlan(run, wide)).toBe('without 0–16; 38 % of heads, 20 % of neurons');
});

test('ranges of blocks, and the facts of a rule', () => {
  expect(blockRanges([0, 1, 2, 5, 6, 9])).toBe('0–2, 5, 6, 9');
  expect(
    ruleSentences({ method: 'wanda-sp', ratio: 0.2, sequential: true, roundTo: 16, wholeHeads: [1, 2, 3] }),
  ).toEqual([
    'Every block loses the same share of its heads and of its neurons.',
    'Each block is scored on the output of the pruned blocks before it, as in the official code.',
    'The neurons that stay in a block are a multiple of 16.',
    'All heads of blocks 1–3 stay: none of them can be removed alone.',
  ]);
  expect(ruleSentences({ method: 'flap', ratio: 0.2, asPublished: true, spared: [4] })).toEqual([
    expect.stringContaining('a head counts as 170 neurons'),
    'The rule would have removed the last head or neuron of block 4: it stays.',
  ]);
  expect(ruleSentences({ method: 'llm-pruner', ratio: 0.2, protected: [0, 1, 2, 3, 30, 31] })[1]).toBe(
    'The method protects blocks 0–3, 30, 31.',
  );
});
