import { expect, test } from 'vitest';
import type { Evolution } from '../../importance/search/found';
import type { ModelShape } from '../../model/shape';
import type { Scores } from '../../report/scores';
import type { ImportanceOptions } from '../contract/types';
import { planByCriterion } from './planning';

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
// per block 92 (attention 52, MLP 40) of 412 parameters

function measured(parts: Partial<Scores>) {
  const asked: ImportanceOptions[] = [];
  const measure = async (options: ImportanceOptions): Promise<Scores> => {
    asked.push(options);
    return { order: [], window: options.window ?? 1, criterion: 'ppl', ...parts } as Scores;
  };
  return { asked, measure };
}

test('a count takes the front of the order', async () => {
  const { measure } = measured({ order: [2, 1, 0, 3] });
  const plan = await planByCriterion('m', shape, { criterion: 'ppl', count: 2 }, measure);
  expect(plan.removeBlocks).toEqual([1, 2]);
});

test('a ratio takes as many as come closest', async () => {
  const { measure } = measured({ order: [2, 1, 0, 3] });
  const plan = await planByCriterion('m', shape, { criterion: 'ppl', ratio: 0.25 }, measure);
  expect(plan.removeBlocks).toEqual([2]);
});

test('angular measures the run that is to leave, and takes it whole', async () => {
  const { asked, measure } = measured({ criterion: 'angular', order: [1, 0, 2] });
  const plan = await planByCriterion('m', shape, { criterion: 'angular', count: 2 }, measure);
  expect(asked).toEqual([{ plus: false, window: 2 }]);
  expect(plan.removeBlocks).toEqual([1, 2]);
});

test('a search by ratio stops where its steps come closest; halves of one block make a block', async () => {
  const step = (layer: number, part: 'attention' | 'mlp') => ({ layer, part, perplexity: 1 });
  const steps = [step(1, 'attention'), step(2, 'mlp'), step(1, 'mlp')];
  const { measure } = measured({ steps });
  const two = await planByCriterion('m', shape, { criterion: 'block-pruner', ratio: 0.22 }, measure);
  expect([two.removeBlocks, two.removeAttention, two.removeMlp]).toEqual([[], [1], [2]]);
  const three = await planByCriterion('m', shape, { criterion: 'block-pruner', count: 3 }, measure);
  expect([three.removeBlocks, three.removeAttention, three.removeMlp]).toEqual([[1], [], [2]]);
});

test('EvoPress searches for sets of the wanted size, which leave as a whole', async () => {
  const evolution = {
    removed: [
      { layer: 3, part: 'mlp' },
      { layer: 1, part: 'attention' },
    ],
  } as unknown as Evolution;
  const { asked, measure } = measured({ criterion: 'evopress', evolution });
  const barriers = { first: 1, last: 0 };
  const plan = await planByCriterion('m', shape, { criterion: 'evopress', unit: 'half', count: 2, barriers }, measure);
  expect([plan.removeBlocks, plan.removeAttention, plan.removeMlp]).toEqual([[], [1], [3]]);
  expect(asked).toEqual([{ plus: false, unit: 'half', count: 2, barriers }]);
  await planByCriterion('m', shape, { criterion: 'evopress', ratio: 0.45 }, measure);
  expect(asked[1]).toEqual({ plus: false, unit: 'block', count: 2 });
  const none = await planByCriterion('m', shape, { criterion: 'evopress', count: 0 }, measure);
  expect(none.removeBlocks).toEqual([]);
  expect(asked).toHaveLength(2);
});

test('halves have no one size, so that a ratio of them is refused; scores are of one kind', async () => {
  const { measure } = measured({});
  const refused = (criterion: 'evopress' | 'ppl', cut: { count: number } | { ratio: number }) =>
    expect(planByCriterion('m', shape, { criterion, unit: 'half', ...cut }, measure)).rejects.toThrow(/got 'half'/);
  await refused('evopress', { ratio: 0.2 });
  await refused('ppl', { count: 2 });
});
