import { expect, test } from 'vitest';
import { emptyPlan, type PruningPlan } from '../../pruning/plan';
import type { RepairMethod } from '../../pruning/repairMethods';
import type { PatchFacts, Step } from '../../pruning/variant';
import type { ComparisonRow } from '../results';
import { makingOf } from './recipe';

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

test('a trained variant is not made again, with a reason of its own; variants beside it are', () => {
  const training: Step = { kind: 'retrain', method: 'lora', steps: 1, batch: 1, learningRate: 1e-3, seed: 1, text };
  expect(calls(row('v1', [cut(3), training]))).toMatch(/A training made it/);
  expect(calls(row('v2', [cut(3), training, cut(3, 4)]))).toMatch(/A training made it/);
});
