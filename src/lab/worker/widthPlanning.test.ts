/** @file Which scores a plan by a width method asks for, and what the plan says. */
import { describe, expect, test } from 'vitest';
import type { ModelShape } from '../../model/shape';
import { noScores } from '../../pruning/structures';
import type { WidthScoreOptions } from '../../report/scores';
import type { WidthPlanRequest } from '../contract/types';
import { checkWidthOptions, measuredOptions, planByWidth } from './widthPlanning';

const shape: ModelShape = {
  ...{ family: 'llama', vocab: 16, hidden: 8, normEps: 1e-5, ropeTheta: 1e4, maxPositions: 64, tiedHead: true },
  layers: [0, 1, 2].map((source) => ({ source, heads: 4, kvHeads: 2, headDim: 2, ffn: 10 })),
};

/** The plan of a request by equal scores, and the options that these were asked with. */
async function planned(request: WidthPlanRequest) {
  const asked: WidthScoreOptions[] = [];
  const plan = await planByWidth('m', shape, request, async (options) => {
    asked.push(options);
    return noScores(request.width, shape.layers);
  });
  return { plan, asked };
}

test('Wanda-sp is scored block by block unless told otherwise; its scores are of the ratio', async () => {
  const { plan, asked } = await planned({ width: 'wanda-sp', ratio: 0.2, roundTo: 8, seed: 5 });
  expect(asked).toEqual([{ sequential: true, ratio: 0.2, roundTo: 8 }]);
  expect(plan.rule).toEqual({ method: 'wanda-sp', ratio: 0.2, roundTo: 8, sequential: true });
  expect(plan.repair).toBeUndefined();
  const dense = await planned({ width: 'wanda-sp', ratio: 0.2, sequential: false, asPublished: true });
  expect(dense.asked).toEqual([{}]);
  expect(dense.plan.rule).toMatchObject({ asPublished: true, sequential: false });
});

test('FLAP’s plans carry its biases; a plan that removes nothing carries nothing', async () => {
  const { plan, asked } = await planned({ width: 'flap', ratio: 0.2, asPublished: true });
  expect(asked).toEqual([{ asPublished: true }]);
  expect(plan).toMatchObject({ repair: 'flap-bias', rule: { method: 'flap', asPublished: true } });
  const nothing = await planned({ width: 'flap', ratio: 0 });
  expect(nothing.plan).toEqual({ version: 1, model: 'm', removeBlocks: [], removeAttention: [], removeMlp: [] });
});

test.each(['magnitude-sp', 'llm-pruner'] as const)('%s: the scores of another ratio serve too', async (width) => {
  const { asked } = await planned({ width, ratio: 0.1, heads: 'groups', seed: 3 });
  expect(asked).toEqual([{}]);
});

test('random scores are those of the seed', () => {
  expect(measuredOptions('random', { seed: 3, ratio: 0.2, sequential: false })).toEqual({ seed: 3 });
  expect(measuredOptions('random', {})).toEqual({});
});

describe('refused before anything is measured', () => {
  test.each<[string, WidthPlanRequest, RegExp]>([
    ['a ratio that empties a layer', { width: 'flap', ratio: 0.95 }, /'flap' can remove at most 0\.\d+ of/],
    ['a sequence of another method', { width: 'flap', ratio: 0.1, sequential: true }, /an option of 'wanda-sp'/],
    ['half a group', { width: 'llm-pruner', ratio: 0.1, heads: 'within-groups' }, /scores whole key\/value groups/],
  ])('%s', async (_, request, message) => {
    const never = async (): Promise<never> => {
      throw new Error('measured');
    };
    await expect(planByWidth('m', shape, request, never)).rejects.toThrow(message);
  });

  test('scores in sequence need the ratio', () => {
    expect(() => checkWidthOptions('wanda-sp', { sequential: true })).toThrow(/expected a ratio beside sequential/);
    expect(() => checkWidthOptions('wanda-sp', { sequential: true, ratio: 0.2 })).not.toThrow();
  });
});
