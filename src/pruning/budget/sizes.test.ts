/** @file Sizes of blocks, the plans that leave them, and what they are thought to lose. */
import { describe, expect, test } from 'vitest';
import type { LayerShape, ModelShape } from '../../model/shape';
import { applyPlan } from '../apply';
import { checkPlan } from '../plan';
import { goneShares, lossOfSizes } from './lossEstimate';
import { layerOfSizes, naturalOrder, neuronStep, planOfSizes, shapeOfSizes, sizeOptions, sizeUnits } from './sizes';

const layer: LayerShape = { source: 0, heads: 8, kvHeads: 4, headDim: 16, ffn: 352 };
const base: ModelShape = {
  ...{ family: 'llama', vocab: 10, hidden: 128, normEps: 1e-5, ropeTheta: 1e4, maxPositions: 64, tiedHead: true },
  layers: [layer, { ...layer, source: 1 }, { ...layer, source: 2, heads: 0, kvHeads: 0 }],
};

describe('options', () => {
  const text = (options: readonly { groups: number; ffn: number }[]) =>
    options.map(({ groups, ffn }) => `${groups}/${ffn}`);

  test('only what is asked for goes, and the whole block comes first', () => {
    expect(text(sizeOptions(layer, ['block']))).toEqual(['4/352', '0/0']);
    expect(text(sizeOptions(layer, ['attention']))).toEqual(['4/352', '0/352']);
    expect(text(sizeOptions(layer, ['attention', 'mlp']))).toEqual(['4/352', '4/0', '0/352', '0/0']);
    expect(text(sizeOptions(layer, ['kvGroup']))).toEqual(['4/352', '3/352', '2/352', '1/352']);
    expect(text(sizeOptions(layer, ['neuron']))).toEqual([
      ...['4/352', '4/320', '4/288', '4/256', '4/224', '4/192', '4/160', '4/128', '4/96', '4/64', '4/32'],
    ]);
    expect(sizeOptions(layer, sizeUnits)).toHaveLength(5 * 12);
  });

  test('a missing sub-block does not go again, and heads stay where they depend on one another', () => {
    expect(text(sizeOptions(base.layers[2]!, ['attention', 'mlp']))).toEqual(['0/352', '0/0']);
    expect(text(sizeOptions(base.layers[2]!, ['attention']))).toEqual(['0/352']);
    expect(text(sizeOptions({ ...layer, qkNorm: 'all' }, ['kvGroup']))).toEqual(['4/352']);
    expect(text(sizeOptions({ ...layer, heads: 8, kvHeads: 1 }, ['kvGroup']))).toEqual(['1/352']);
  });

  test('neurons go in steps of 8, 16, 32 or 64, of at most 16 sizes', () => {
    expect([96, 172, 352, 1024, 5632, 11008, 14336].map(neuronStep)).toEqual([8, 16, 32, 64, 384, 704, 896]);
    for (const ffn of [96, 172, 352, 1024, 5632, 11008]) {
      expect(sizeOptions({ ...layer, ffn }, ['neuron']).length).toBeLessThanOrEqual(16);
    }
  });
});

test('a plan keeps the groups and neurons that stand last in the order, and leaves the shape of its sizes', () => {
  const order = naturalOrder(base);
  const groups = [[2, 0, 3, 1], [0, 1, 2, 3], []];
  const sizes = [
    { groups: 2, ffn: 352 },
    { groups: 0, ffn: 32 },
    { groups: 0, ffn: 0 },
  ];
  const plan = planOfSizes('m', base, sizes, { ...order, groups });
  expect(plan).toEqual({
    ...{ version: 1, model: 'm', removeBlocks: [2], removeAttention: [1], removeMlp: [] },
    keepHeads: [[2, 3, 6, 7], null, null],
    keepNeurons: [null, Array.from({ length: 32 }, (_, index) => index), null],
  });
  expect(checkPlan(plan, 'm', base)).toEqual(plan);
  expect(shapeOfSizes(base, sizes)).toEqual(applyPlan(base, plan));
});

test('every option of every block has the shape that its plan leaves', () => {
  for (const [index, each] of base.layers.entries()) {
    for (const option of sizeOptions(each, sizeUnits)) {
      const sizes = base.layers.map(({ kvHeads, ffn }, at) => (at === index ? option : { groups: kvHeads, ffn }));
      const plan = planOfSizes('m', base, sizes, naturalOrder(base));
      const [found] = applyPlan(base, plan).layers.filter(({ source }) => source === index);
      expect(found ?? null).toEqual(layerOfSizes(each, option));
    }
  }
});

describe('estimated losses', () => {
  const losses = { attention: 0.5, mlp: 2, block: 3 };
  const groups = goneShares([1, 1, 2, 6]);
  const neurons = goneShares([0, 1, 3]);

  test('between the measured ones, by the share of the scores that goes', () => {
    const loss = (kept: number, ffn: number) => lossOfSizes(losses, groups, neurons, { groups: kept, ffn });
    expect(loss(4, 3)).toBe(0);
    expect(loss(0, 3)).toBe(0.5);
    expect(loss(4, 0)).toBe(2);
    expect(loss(0, 0)).toBeCloseTo(3, 12);
    expect(loss(2, 3)).toBeCloseTo(0.1, 12);
    expect(loss(4, 2)).toBe(0);
    expect(loss(1, 1)).toBeCloseTo(0.4 * 0.5 + 0.25 * 2 + 0.4 * 0.25 * 0.5, 12);
  });

  test('a missing sub-block, equal scores and an infinite loss', () => {
    expect(lossOfSizes({ attention: 0, mlp: 2, block: 2 }, [0], neurons, { groups: 0, ffn: 1 })).toBe(0.5);
    expect(lossOfSizes({ attention: 0, mlp: 2, block: 2 }, [0], neurons, { groups: 0, ffn: 0 })).toBe(2);
    expect(goneShares([0, 0])).toEqual([0, 0.5, 1]);
    const broken = { attention: Number.POSITIVE_INFINITY, mlp: 1, block: Number.POSITIVE_INFINITY };
    expect(lossOfSizes(broken, groups, neurons, { groups: 4, ffn: 1 })).toBe(0.25);
    expect(lossOfSizes(broken, groups, neurons, { groups: 3, ffn: 3 })).toBe(Number.POSITIVE_INFINITY);
  });
});
