import { expect, test } from 'vitest';
import type { Loss } from '../../lab/page/store';
import type { ModelShape } from '../../model/shape';
import type { PruningPlan } from '../../pruning/plan';
import { planOfUnits } from '../../pruning/plan';
import { enumerate, indexList, isWhole, planShort, planText, removedCount, taskName } from './names';

const plan = (removeBlocks: number[], removeAttention: number[] = [], removeMlp: number[] = []): PruningPlan => ({
  version: 1,
  model: 'demo',
  removeBlocks,
  removeAttention,
  removeMlp,
});

test.each([
  [[], ''],
  [[5], '5'],
  [[5, 6], '5 and 6'],
  [[5, 6, 7], '5–7'],
  [[2, 5, 6, 7], '2 and 5–7'],
  [[1, 2, 4, 5, 6, 9], '1, 2, 4–6 and 9'],
])('indices %j', (indices, text) => {
  expect(indexList(indices)).toBe(text);
});

test('a plan in words', () => {
  expect(planText(plan([]))).toBe('original model');
  expect(planText(plan([5]))).toBe('without block 5');
  expect(planText(plan([5, 6]))).toBe('without blocks 5 and 6');
  expect(planText(plan([3], [4], [7, 8]))).toBe('without block 3 and the attention of 4 and the MLP of 7 and 8');
});

test('a plan in short', () => {
  expect(planShort(plan([]))).toBe('none');
  expect(planShort(plan([2, 5, 6, 7], [8]))).toBe('2, 5–7; attn 8');
  expect(removedCount(plan([2, 5], [8], [9]))).toBe('2 blocks, 1 attn, 1 MLP');
  expect(removedCount(plan([]))).toBe('–');
});

test('only a plan that removes nothing is the whole model', () => {
  expect(isWhole(plan([]))).toBe(true);
  expect(isWhole(plan([], [1]))).toBe(false);
  expect(isWhole(plan([], [], [1]))).toBe(false);
});

test('tasks are named in sentences', () => {
  expect(
    ['benchmark', 'importance:taylor', 'search:sleb', 'text:add', 'lab.survey'].map((t) => taskName(t as Loss)),
  ).toEqual([
    'the benchmark',
    'the criterion taylor',
    'the search sleb',
    'reading a text',
    'a script’s call of lab.survey',
  ]);
  expect([['a'], ['a', 'b'], ['a', 'b', 'c']].map(enumerate)).toEqual(['a', 'a and b', 'a, b and c']);
});

test('heads and neurons in words: KV groups where whole ones are removed', () => {
  const layers = [0, 1].map((source) => ({ source, heads: 8, kvHeads: 4, headDim: 8, ffn: 10 }));
  const base = { layers } as unknown as ModelShape;
  const groups = planOfUnits('m', [], { keepHeads: [[0, 1, 2, 3], null], keepNeurons: [null, [0, 1, 2, 3, 4]] });
  expect(planText(groups, base)).toBe('without 2 KV groups and 25% of the neurons');
  expect(planText(groups)).toBe('without heads of 1 block and neurons of 1 block');
  expect(removedCount(groups, base)).toBe('2 KV groups, 25% of the neurons');
  expect(planShort(planOfUnits('m', [{ kind: 'block', layer: 0 }], { keepHeads: [null, [0, 2, 4, 6]] }), base)).toBe(
    '0; 4 heads',
  );
});
