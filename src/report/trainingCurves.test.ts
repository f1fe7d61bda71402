/** @file Curves of trainings: thinned, read back, and told in CSV, Markdown and sentences. */
import { expect, test } from 'vitest';
import { trainingSentence } from '../pruning/trainingWords';
import type { RetrainStep } from '../pruning/variant';
import { recordCsv } from './csv';
import { sensibleRecord } from './link/sensible';
import { measuredReport } from './link/testing/measuredReport';
import { readRecord, writeRecord } from './link/tuples';
import { recordMarkdown } from './markdown';
import type { ModelRecord } from './record';
import { randomRecord } from './testing/randomRecord';
import { syntheticComparison } from './testing/syntheticComparison';
import { mostCurvePoints, trainingCurves } from './trainingCurves';

const steps = (count: number) =>
  Array.from({ length: count }, (_, at) => ({ step: at + 1, loss: 3 - at / count, learningRate: 1e-3 }));
const heldOut = (count: number) =>
  Array.from({ length: count }, (_, at) => ({ step: 10 * at, perplexity: 9 - at / count }));

test('few points stay as they are; of many the first and the last stay, and none is changed', () => {
  const few = trainingCurves({ losses: steps(3), evaluations: heldOut(2) });
  expect(few.losses).toEqual(steps(3).map(({ step, loss }) => ({ step, loss })));
  const many = trainingCurves({ losses: steps(1000), evaluations: heldOut(100) });
  expect(many.losses.length + many.evaluations.length).toBe(mostCurvePoints);
  expect([many.losses[0]?.step, many.losses.at(-1)?.step]).toEqual([1, 1000]);
  expect([many.evaluations[0]?.step, many.evaluations.at(-1)?.step]).toEqual([0, 990]);
  for (const { step, loss } of many.losses) expect(loss).toBe(3 - (step - 1) / 1000);
});

const step: RetrainStep = {
  ...{
    kind: 'retrain',
    method: 'lora',
    steps: 60,
    batch: 4,
    learningRate: 3e-3,
    seed: 1,
    tokens: 30_480,
    seconds: 126,
  },
  text: { corpus: 'calibration', samples: 85, seqLen: 128, seed: 1, hash: 'c0ffee' },
  lora: { rank: 8, alpha: 16, dropout: 0.05, targets: ['qProj', 'vProj'] },
};

test.each<[string, RetrainStep, string]>([
  [
    'LoRA',
    step,
    'Retrained by LoRA (rank 8, alpha 16, dropout 0.05, on qProj vProj): 60 steps of 4 rows at a learning rate of 0.003, 30,480 tokens predicted in 2.1 minutes, on 85 × 128 tokens of stories (seed 1, tokens c0ffee).',
  ],
  [
    'distillation on generated text',
    {
      ...{ kind: 'retrain', method: 'distill', steps: 1, batch: 1, learningRate: 1e-4, seed: 2 },
      text: { ...step.text, generated: { temperature: 0.8, topK: 50 }, heldOut: 0.1 },
      distill: { temperature: 2, weight: 0.5 },
    },
    'Retrained by distillation from the base (temperature 2, weight of the divergence 0.5): 1 step of 1 row at a learning rate of 0.0001, on 85 × 128 tokens of stories at temperature 0.8, top 50, 10 % of its rows held out (seed 1, tokens c0ffee).',
  ],
  [
    'continued pretraining on pairs of the Hub',
    {
      ...{ kind: 'retrain', method: 'full', steps: 2, batch: 1, learningRate: 1e-4, seed: 2 },
      text: { ...step.text, source: 'hf:owner/pairs@c0ffee/train*' },
    },
    'Retrained by continued pretraining: 2 steps of 1 row at a learning rate of 0.0001, on 85 × 128 tokens of stories from hf:owner/pairs@c0ffee/train* (seed 1, tokens c0ffee).',
  ],
])('%s in a sentence', (_, each, sentence) => {
  expect(trainingSentence(each, 'stories')).toBe(sentence);
});

const comparison = syntheticComparison('demo').map((row, at) =>
  at === 1
    ? { ...row, recipe: [...row.recipe, step], training: trainingCurves({ losses: steps(2), evaluations: heldOut(3) }) }
    : row,
);
const record: ModelRecord = { ...randomRecord(1), comparison };

test('CSV has a row for each point, Markdown one for each training', () => {
  const lines = recordCsv(record).split('\r\n');
  expect(lines.filter((line) => line.includes(',training-loss,'))).toHaveLength(2);
  const held = lines.filter((line) => line.includes(',training-held-out,'));
  expect(held).toHaveLength(3);
  expect(held[2]).toMatch(/,lora,20,+$/);
  const markdown = recordMarkdown(record);
  expect(markdown).toContain('## Retraining');
  expect(markdown).toContain('Retrained by LoRA (rank 8');
  expect(markdown).toContain('0: 9, 10: 8.667, 20: 8.333');
});

test('a link with steps that do not ascend is refused', () => {
  const measured = measuredReport(1);
  const curves = trainingCurves({ losses: steps(2).toReversed(), evaluations: heldOut(3) });
  const turned = { ...measured, comparison: measured.comparison.map((row) => ({ ...row, training: curves })) };
  const read = () => sensibleRecord(readRecord(JSON.parse(writeRecord(turned))), 'The link');
  expect(read).toThrow('comparison.0.training.losses: expected ascending steps');
});
