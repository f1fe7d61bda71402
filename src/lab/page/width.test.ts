import { expect, test } from 'vitest';
import type { LayerShape, ModelShape } from '../../model/shape';
import { checkPlan, emptyPlan, planOfUnits } from '../../pruning/plan';
import {
  headKind,
  headUnits,
  keptHeads,
  keptNeurons,
  neuronStep,
  remaining,
  withHeadsToggled,
  withNeurons,
} from './width';
import { mostSavedNeurons, type PageWidthScores, profileOf, savedWidthScores, scoresOfHeads } from './widthScores';

const shapeOf = (sizes: Partial<LayerShape>): ModelShape =>
  ({
    layers: [0, 1].map((source) => ({ source, heads: 8, kvHeads: 4, headDim: 8, ffn: 6, ...sizes })),
  }) as unknown as ModelShape;
const grouped = shapeOf({});
const whole = emptyPlan('m');

const planned = (edit: ReturnType<typeof withHeadsToggled>) => {
  if ('reason' in edit) throw new Error(edit.reason);
  return edit.plan;
};

test('a click takes a KV group; single heads where each has its own keys, or all share them', () => {
  expect(headUnits(grouped.layers[0]!)).toEqual([
    [0, 1],
    [2, 3],
    [4, 5],
    [6, 7],
  ]);
  expect(headUnits({ heads: 3, kvHeads: 3 })).toEqual([[0], [1], [2]]);
  expect(headUnits({ heads: 3, kvHeads: 1 })).toEqual([[0], [1], [2]]);
  expect([
    headKind({ heads: 8, kvHeads: 4 }),
    headKind({ heads: 8, kvHeads: 8 }),
    headKind({ heads: 8, kvHeads: 1 }),
  ]).toEqual(['kvGroup', 'head', 'head']);
});

test('a KV group is removed and restored, and the plan stays canonical', () => {
  const without = planned(withHeadsToggled(whole, grouped, 1, 2));
  expect(without).toEqual({ ...whole, keepHeads: [null, [0, 1, 2, 3, 6, 7]] });
  expect(checkPlan(without, 'm', grouped)).toEqual(without);
  expect(planned(withHeadsToggled(without, grouped, 1, 2))).toEqual(whole);
});

test('a restored group gets as many heads as the others have: those with the highest scores', () => {
  const narrow = planOfUnits('m', [], { keepHeads: [[0, 2, 4], null] });
  const scores = [0, 0, 0, 0, 0, 0, 1, 2];
  expect(keptHeads(planned(withHeadsToggled(narrow, grouped, 0, 3, scores)), grouped.layers[0]!, 0)).toEqual([
    0, 2, 4, 7,
  ]);
});

test('the last group stays, and says where the attention is removed', () => {
  const last = planOfUnits('m', [], { keepHeads: [[6, 7], null] });
  expect(withHeadsToggled(last, grouped, 0, 3)).toEqual({
    reason: expect.stringContaining('the last KV group of block 0'),
  });
});

test('heads that the norms tie together stay, with the reason', () => {
  expect(withHeadsToggled(whole, shapeOf({ qkNorm: 'all' }), 0, 0)).toEqual({
    reason: expect.stringContaining('norms'),
  });
});

test('an edit of the width keeps what else the plan removes', () => {
  const cut = planOfUnits('m', [{ kind: 'block', layer: 0 }], { keepNeurons: [null, [0, 1]] });
  expect(planned(withHeadsToggled(cut, grouped, 1, 0))).toEqual({ ...cut, keepHeads: [null, [2, 3, 4, 5, 6, 7]] });
  expect(withHeadsToggled(cut, grouped, 0, 0)).toHaveProperty('reason');
});

test('the lowest-scored neurons are removed first, and the highest-scored restored first', () => {
  const scores = Float64Array.of(5, 1, 4, 2, 3, 6);
  const four = withNeurons(whole, grouped, 0, 4, scores)!;
  expect(four.keepNeurons).toEqual([[0, 2, 4, 5], null]);
  const by = withNeurons(planOfUnits('m', [], { keepNeurons: [[1, 3], null] }), grouped, 0, 3, scores)!;
  expect(by.keepNeurons).toEqual([[1, 3, 5], null]);
  expect(withNeurons(four, grouped, 0, 6, scores)).toEqual(whole);
  expect(keptNeurons(withNeurons(whole, grouped, 0, 0, scores)!, grouped.layers[0]!, 0)).toBe(1);
});

test('a score that is not a number keeps its neuron', () => {
  expect(withNeurons(whole, grouped, 0, 2, Float64Array.of(1, Number.NaN, 2, 3, 4, 5))?.keepNeurons?.[0]).toEqual([
    1, 5,
  ]);
});

test('steps of neurons suit the size of the MLP', () => {
  expect([10, 352, 11_008].map(neuronStep)).toEqual([1, 16, 256]);
});

test('what stays of all heads, groups and neurons', () => {
  const plan = planOfUnits('m', [{ kind: 'mlp', layer: 0 }], {
    keepHeads: [[0, 1], null],
    keepNeurons: [null, [0, 1]],
  });
  expect(remaining(plan, grouped)).toEqual({
    heads: { kept: 10, total: 16 },
    kvHeads: { kept: 5, total: 8 },
    neurons: { kept: 2, total: 12 },
  });
});

test('a score of a KV group is that of its heads', () => {
  const scores = { heads: [[1, 2, 3, 4]], headUnit: 'kvGroup' } as const;
  const mutable = { ...scores, heads: scores.heads.map((list) => [...list]) };
  expect(scoresOfHeads(mutable, grouped.layers[0]!, 0)).toEqual([1, 1, 2, 2, 3, 3, 4, 4]);
});

test('a profile is quantiles of what is a number', () => {
  expect(profileOf(Float64Array.of(3, Number.NaN, 1, 2), 3)).toEqual([1, 2, 3]);
  expect(profileOf(Float64Array.of(Number.NaN), 3)).toEqual([]);
});

test('what is saved is bounded, and the chosen method is saved first', () => {
  const of = (method: PageWidthScores['method'], neurons: number): PageWidthScores =>
    ({ method, heads: [], neurons: [new Float64Array(neurons)] }) as unknown as PageWidthScores;
  const scores = { flap: of('flap', mostSavedNeurons - 1), 'wanda-sp': of('wanda-sp', 2) };
  expect(Object.keys(savedWidthScores(scores, 'wanda-sp'))).toEqual(['wanda-sp']);
  expect(Object.keys(savedWidthScores(scores, 'flap'))).toEqual(['flap']);
});
