/** @file The curves of a report: which rows have some, and the table beside a chart. */
import { expect, test } from 'vitest';
import type { RetrainStep } from '../../pruning/variant';
import { syntheticComparison } from '../../report/testing/syntheticComparison';
import { trainedRows } from '../../report/trainedRows';
import { curvesTable } from '../charts/training/trainingData';
import { recipeWords } from './recipeWords';

const step: RetrainStep = {
  ...{ kind: 'retrain', method: 'distill', steps: 40, batch: 4, learningRate: 1e-3, seed: 1 },
  text: { corpus: 'instructions', samples: 85, seqLen: 128, seed: 1, hash: 'c0ffee', heldOut: 0.1 },
  distill: { temperature: 2, weight: 0.5 },
};
const training = {
  losses: [
    { step: 1, loss: 2.5 },
    { step: 20, loss: 1.25 },
  ],
  evaluations: [
    { step: 0, perplexity: 12 },
    { step: 20, perplexity: 3.5 },
  ],
};

test('rows that a training made, and no others; a point of one curve alone has a row too', () => {
  const rows = syntheticComparison('demo').map((row, at) => {
    if (at === 1) return { ...row, recipe: [...row.recipe, step], training };
    return at === 2 ? { ...row, recipe: [...row.recipe, step] } : row;
  });
  expect(trainedRows(rows).map(({ row }) => row.variant)).toEqual([rows[1]!.variant]);
  expect(curvesTable(training).rows.map(({ cells }) => cells)).toEqual([
    ['0', '–', '12.00'],
    ['1', '2.50', '–'],
    ['20', '1.25', '3.500'],
  ]);
});

test('the words of a training on the page', () => {
  expect(recipeWords({ recipe: [step] }, { layers: [] })).toEqual([
    'Retrained by distillation from the base (temperature 2, weight of the divergence 0.5): 40 steps of 4 rows at a learning rate of 0.001, on 85 × 128 tokens of instructions with responses, 10 % of its rows held out (seed 1, tokens c0ffee).',
  ]);
});
