import { expect, test } from 'vitest';
import type { ModelShape } from '../model/shape';
import { applyPlan, estimate } from './apply';
import { checkPlan, emptyPlan, normalizePlan } from './plan';
import { countForRatio, planOf, selectUnits } from './select';

const shape: ModelShape = {
  family: 'llama',
  vocab: 10,
  hidden: 4,
  layers: [0, 1, 2, 3].map((source) => ({ source, heads: 2, kvHeads: 1, headDim: 2, ffn: 3 })),
  normEps: 1e-5,
  ropeTheta: 10000,
  maxPositions: 16,
  tiedHead: true,
};
// per block: norms 8, q 16, k 8, v 8, o 16, gate/up/down 36 → 92; outside: embed 40, norm 4 → 412 in all
const attention = 4 + 16 + 8 + 8 + 16;

test('a plan leaves out blocks and sub-blocks; sources stay', () => {
  const plan = normalizePlan({ ...emptyPlan('m'), removeBlocks: [2], removeAttention: [0], removeMlp: [3, 3] });
  const pruned = applyPlan(shape, plan);
  expect(pruned.layers.map((layer) => [layer.source, layer.heads, layer.kvHeads, layer.ffn])).toEqual([
    [0, 0, 0, 3],
    [1, 2, 1, 3],
    [3, 2, 1, 0],
  ]);
  expect(estimate(shape, pruned)).toEqual({
    parameters: 412 - 92 - attention - 40,
    ratio: 1 - (320 - attention - 40) / 412,
  });
});

test('what differs from layer to layer stays with its block', () => {
  const rope = { theta: 500 };
  const layers = shape.layers.map((layer) => ({ ...layer, window: 4 + layer.source, rope, qkNorm: 'head' as const }));
  const plan = normalizePlan({ ...emptyPlan('m'), removeBlocks: [0, 2], removeAttention: [1] });
  expect(applyPlan({ ...shape, layers }, plan).layers).toEqual([{ ...layers[1], heads: 0, kvHeads: 0 }, layers[3]]);
});

test('losing both sub-blocks is losing the block', () => {
  const plan = normalizePlan({ ...emptyPlan('m'), removeAttention: [1, 2], removeMlp: [2] });
  expect(plan).toEqual({ version: 1, model: 'm', removeBlocks: [2], removeAttention: [1], removeMlp: [] });
});

test('plans from outside are checked', () => {
  expect(() => checkPlan({}, 'm', shape)).toThrow(/not a pruning plan/);
  expect(() => checkPlan(emptyPlan('other'), 'm', shape)).toThrow(/'other'.*'m'/);
  expect(() => checkPlan(planOf('m', 'block', [4]), 'm', shape)).toThrow(/0 to 3, got 4/);
  expect(() => checkPlan(planOf('m', 'block', [0, 1, 2, 3]), 'm', shape)).toThrow(/all 4 blocks/);
  expect(() => checkPlan({ ...emptyPlan('m'), removeBlocks: [3, 1, 3] }, 'm', shape)).toThrow(
    /each index once, got 3 twice/,
  );
  expect(checkPlan({ ...emptyPlan('m'), removeBlocks: [3, 1] }, 'm', shape).removeBlocks).toEqual([1, 3]);
});

test('a ratio is met as closely as whole units allow, and never removes every block', () => {
  const order = [3, 1, 2, 0];
  expect(countForRatio(shape, 'block', order, 0)).toBe(0);
  expect(countForRatio(shape, 'block', order, 0.1)).toBe(0); // 0 is closer than 92 / 412 = 0.223
  expect(countForRatio(shape, 'block', order, 0.12)).toBe(1);
  expect(countForRatio(shape, 'block', order, 0.4)).toBe(2);
  expect(countForRatio(shape, 'block', order, 0.99)).toBe(3);
  expect(countForRatio(shape, 'attention', order, attention / 412)).toBe(1);
  expect(() => countForRatio(shape, 'block', order, 1)).toThrow(/0 ≤ ratio < 1/);
});

test('selection takes the front of the order, or the best run', () => {
  expect(selectUnits({ criterion: 'ppl', order: [3, 1, 2], window: 1 }, 2)).toEqual([3, 1]);
  expect(selectUnits({ criterion: 'angular', order: [1, 0], window: 2 }, 2)).toEqual([1, 2]);
  expect(() => selectUnits({ criterion: 'angular', order: [1, 0], window: 2 }, 3)).toThrow(/expected 2/);
  expect(() => selectUnits({ criterion: 'ppl', order: [3], window: 1 }, 2)).toThrow(/0 to 1/);
});

test('scores that are not numbers order nothing, and a selection says so', () => {
  const scores = { criterion: 'taylor', window: 1, order: [1], scores: [Number.NaN, 3, Number.NaN] } as const;
  expect(selectUnits({ ...scores, scores: [...scores.scores], order: [...scores.order] }, 1)).toEqual([1]);
  expect(() => selectUnits({ ...scores, scores: [...scores.scores], order: [...scores.order] }, 2)).toThrow(
    "2 of the scores by 'taylor' are not numbers, so only 1 units can be ordered, got 2",
  );
});
