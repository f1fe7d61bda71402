/** @file Trainings that ended: those of this visit as they ran, those of earlier visits as their variants' rows tell them. */
import { expect, test } from 'vitest';
import type { RetrainStep } from '../../pruning/variant';
import type { ComparisonRow } from '../../report/results';
import { syntheticComparison } from '../../report/testing/syntheticComparison';
import { type EndedTraining, endedTrainings } from './training';

const step: RetrainStep = {
  ...{ kind: 'retrain', method: 'lora', steps: 40, batch: 4, learningRate: 1e-3, seed: 1 },
  text: { corpus: 'instructions', samples: 85, seqLen: 128, seed: 1, hash: 'c0ffee', source: 'hf:o/n@c0ffee/train*' },
};
const training = {
  losses: [{ step: 40, loss: 2.5 }],
  evaluations: [{ step: 0, perplexity: 12 }],
  heldOut: { corpus: 'evaluation', sequences: 16, seqLen: 64, hash: 'beef' },
};
const [base, first, second] = syntheticComparison('demo') as [ComparisonRow, ComparisonRow, ComparisonRow];
const trainedRow = (row: ComparisonRow, text: RetrainStep['text']): ComparisonRow => ({
  ...row,
  recipe: [...row.recipe, { ...step, text }],
  training,
});
const rows = [base, trainedRow(first, step.text), trainedRow(second, { ...step.text, corpus: 'mine', heldOut: 0.1 })];

test('rows give the request as far as they tell it: enough for the chart’s note and its lines', () => {
  const [of, split] = endedTrainings([], rows);
  expect(of).toEqual({
    ...{ variant: first.variant, name: first.name, parent: first.parent ?? 'base', earlier: true },
    request: {
      ...{ method: 'lora', steps: 40, batch: 4, learningRate: 1e-3 },
      ...{ instructions: [], instructionsFrom: 'hf:o/n@c0ffee/train*' },
      evaluation: { corpus: 'evaluation', samples: 16, seqLen: 64 },
    },
    losses: [{ step: 40, loss: 2.5, learningRate: 1e-3 }],
    evaluations: training.evaluations,
  });
  expect(split?.request).toMatchObject({ corpus: 'mine', heldOut: 0.1 });
  expect(split?.request).not.toHaveProperty('evaluation');
});

test('what ended in this visit comes last, and with its own points', () => {
  const own = { variant: first.variant, losses: [], evaluations: [] } as unknown as EndedTraining;
  expect(endedTrainings([own], rows).map(({ variant, earlier }) => [variant, earlier])).toEqual([
    [second.variant, true],
    [first.variant, undefined],
  ]);
  expect(endedTrainings([], [base])).toEqual([]);
});
