import { expect, test } from 'vitest';
import { emptyPlan, type PruningPlan } from '../../pruning/plan';
import type { RepairMethod } from '../../pruning/repairMethods';
import type { PatchFacts, RetrainStep, Step } from '../../pruning/variant';
import type { ComparisonRow } from '../results';
import { makingOf } from './recipe';
import { trainingAgain } from './training';

const without = (...removeBlocks: number[]): PruningPlan => ({ ...emptyPlan('m'), removeBlocks });
const cut = (...blocks: number[]): Step => ({ kind: 'prune', plan: without(...blocks) });
const text = { corpus: 'calibration', samples: 10, seqLen: 128, seed: 1234, hash: 'h' };
const facts = (...names: string[]): PatchFacts => ({
  ...{ sha256: names.join(), bytes: 1 },
  tensors: names.map((name) => ({ name, dtype: 'F32', dims: [1] })),
});
const repair = (method: RepairMethod, patch?: PatchFacts): Step => ({
  kind: 'repair',
  method,
  text,
  ...(patch && { patch }),
});
const patch = (...names: string[]): Step => ({ kind: 'patch', ...facts(...names) });

const row = (variant: string, recipe: Step[], parent = 'base'): ComparisonRow => {
  const plan = recipe.findLast((step) => step.kind === 'prune')?.plan ?? without();
  return { variant, name: variant, plan, recipe, parent, perplexity: {}, latency: [] } as unknown as ComparisonRow;
};

/** [where it goes on, …what each call removes, and its repair] */
const calls = (each: ComparisonRow, rows: ComparisonRow[] = []) => {
  const found = makingOf(each, rows);
  if ('why' in found) return found.why;
  const { from, actions } = found.making;
  return [from, ...actions.map(({ plan, repair: method }) => `${plan.removeBlocks} ${method}`)];
};

test('a plan and its repair are one call from the base', () => {
  expect(calls(row('v1', [cut(3)]))).toEqual(['base', '3 none']);
  expect(calls(row('v1', [cut(3), repair('replace-me', facts('a'))]))).toEqual(['base', '3 replace-me']);
});

test('a variant goes on from its parent where the parent’s recipe begins its own, and else from the base', () => {
  const plain = row('v1', [cut(3)]);
  const repaired = row('v2', [cut(3), repair('prune-and-comp')], 'v1');
  const next = row('v3', [...repaired.recipe, cut(3, 5), repair('replace-me')], 'v2');
  const rows = [plain, repaired, next];
  expect(calls(repaired, rows)).toEqual(['v1', '3 prune-and-comp']);
  expect(calls(next, rows)).toEqual(['v2', '3,5 replace-me']);
  // Its parent is not in the report: every step again.
  expect(calls(next, [next])).toEqual(['base', '3 prune-and-comp', '3,5 replace-me']);
});

test('what lab.iterate made is made step by step, an unrepaired cut at the end of the model included', () => {
  const recipe = [cut(3), repair('prune-and-comp'), cut(3, 11), cut(3, 4, 11), repair('prune-and-comp')];
  expect(calls(row('v1', recipe))).toEqual(['base', '3 prune-and-comp', '3,11 none', '3,4,11 prune-and-comp']);
  expect(calls(row('v1', [cut(11), cut(3, 11), repair('prune-and-comp')]))).toMatch(/block by block/);
});

test('weights from outside cannot be made; a repair’s tensors that were cut along can', () => {
  expect(calls(row('v1', [cut(3), patch('a')]))).toMatch(/from a file/);
  expect(calls(row('v1', [cut(3), repair('flap-bias', facts('a', 'b')), patch('a')]))).toMatch(/from a file/);
  expect(calls(row('v1', [cut(3), repair('flap-bias', facts('a', 'b')), cut(3, 4), patch('a')]))).toEqual([
    ...['base', '3 flap-bias', '3,4 none'],
  ]);
  expect(calls(row('v1', [cut(3), repair('flap-bias', facts('a')), cut(3, 4), patch('x')]))).toMatch(/from a file/);
});

const training = (more: Partial<RetrainStep> = {}): RetrainStep => ({
  ...{ kind: 'retrain', method: 'lora', steps: 6, batch: 2, learningRate: 1e-3, seed: 1, text },
  ...{ lora: { rank: 4, alpha: 8, dropout: 0 }, setting: { warmup: 2, schedule: 'cosine' } },
  ...more,
});

test('a training goes on from the variant that it began with, or from its cuts', () => {
  const pruned = row('v1', [cut(3)]);
  const lora = { ...row('v2', [cut(3), training()]), parent: 'v1' };
  const both = { ...row('v3', [cut(3), training(), training({ method: 'full' })]), parent: 'v2' };
  const makings = [makingOf(lora, [pruned]), makingOf(lora, []), makingOf(both, [pruned, lora])].map((found) => {
    if ('why' in found) throw new Error(found.why);
    const { from, actions, trainings } = found.making;
    return [from, actions.length, trainings.map(({ method }) => method)];
  });
  expect(makings).toEqual([
    ['v1', 0, ['lora']],
    ['base', 1, ['lora']],
    ['v2', 0, ['full']],
  ]);
});

test('the request of a training again: its setting, its factors, its rows', () => {
  expect(trainingAgain(training())).toEqual({
    request: {
      ...{ method: 'lora', steps: 6, batch: 2, learningRate: 1e-3, seed: 1, warmup: 2, schedule: 'cosine' },
      ...{ rank: 4, alpha: 8, dropout: 0, corpus: text.corpus, samples: text.samples, seqLen: text.seqLen },
    },
  });
  const generated = { ...text, corpus: 'generated', generated: { temperature: 0.8 } };
  expect(trainingAgain(training({ text: generated }))).toMatchObject({
    request: { generated: { rows: text.samples, seqLen: text.seqLen, temperature: 0.8 } },
  });
});

test('a training that a report does not tell whole is not made again, with the reason', () => {
  const { setting: _, ...older } = training();
  expect(calls(row('v1', [cut(3), older]))).toMatch(/earlier version/);
  expect(calls(row('v2', [cut(3), training(), cut(3, 4)]))).toMatch(/after a training/);
  expect(calls(row('v3', [training({ text: { ...text, corpus: 'instructions' } })]))).toMatch(/instruction pairs/);
  const stopped = { warmup: 2, schedule: 'cosine', stepsAsked: 10 } as const;
  expect(calls(row('v4', [training({ setting: stopped })]))).toMatch(/stopped after 6 of 10 steps/);
});
