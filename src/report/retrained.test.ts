/** @file Which training a variant had, what it won back, and what the numbers say about LoRA and continued pretraining. */
import { expect, test } from 'vitest';
import { emptyPlan } from '../pruning/plan';
import type { RetrainMethod } from '../pruning/variant';
import type { ComparisonRow } from './results';
import { bestOf, retrainedGroups, retrainingVerdict, trainingOf } from './retrained';

const step = (method: RetrainMethod, more = {}) => ({ kind: 'retrain', method, steps: 10, ...more });

function row(variant: string, parent: string | null, removed: number[], perplexity: number, steps: object[] = []) {
  const plan = { ...emptyPlan('m'), removeBlocks: removed };
  const prune = removed.length > 0 ? [{ kind: 'prune', plan }] : [];
  const result = { perplexity, meanNll: Math.log(perplexity), text: { hash: 'h' } };
  return {
    ...{ variant, name: variant, parent, plan, ratio: removed.length / 10, recipe: [...prune, ...steps] },
    perplexity: { wgsl: result },
  } as unknown as ComparisonRow;
}

const base = row('base', null, [], 4);
const mild = row('mild', 'base', [1], 5);
const severe = row('severe', 'base', [1, 2, 3], 16);
const rows = [
  ...[base, mild, severe],
  row('a', 'mild', [1], 4.1, [step('lora', { tokens: 100, seconds: 2 })]),
  row('b', 'mild', [1], 4.2, [step('full')]),
  row('c', 'severe', [1, 2, 3], 9, [step('lora')]),
  row('d', 'severe', [1, 2, 3], 8, [step('full', { tokens: 100 })]),
  row('e', 'd', [1, 2, 3], 7, [step('full', { tokens: 100 }), step('lora', { tokens: 50 })]),
  row('f', 'severe', [1, 2, 3], 11, [step('lora')]),
];

test('trainings one after the other count as CPT, then LoRA', () => {
  expect(trainingOf(mild.recipe)).toBe('pruned');
  expect(trainingOf(rows[7]!.recipe)).toBe('full+lora');
  expect(trainingOf(rows[3]!.recipe)).toBe('lora');
});

test('each pruned variant heads the group of what trainings made of it; the share won back is of the loss', () => {
  const groups = retrainedGroups(rows, 'h');
  expect(groups.map(({ key }) => key)).toEqual(['mild', 'severe']);
  expect(groups[1]!.variants.map(({ variant }) => variant)).toEqual(['severe', 'c', 'f', 'd', 'e']);
  expect(bestOf(groups[1]!, 'lora')?.variant).toBe('c');
  // ln 16 − ln 8 is half of ln 16 − ln 4.
  expect(bestOf(groups[1]!, 'full')?.recovered).toBeCloseTo(0.5, 12);
  expect(bestOf(groups[1]!, 'full+lora')).toMatchObject({ steps: 20, tokens: 150, seconds: null });
  expect(bestOf(groups[0]!, 'lora')).toMatchObject({ tokens: 100, seconds: 2 });
});

test('only perplexities on the same tokens are compared', () => {
  const other = { ...rows[3]!, perplexity: { wgsl: { ...rows[3]!.perplexity.wgsl!, text: { hash: 'x' } as never } } };
  const [group] = retrainedGroups([base, mild, other, rows[4]!], 'h');
  expect(group?.variants.map(({ variant }) => variant)).toEqual(['mild', 'b']);
  expect(retrainedGroups([base, mild, other], 'h')).toEqual([]);
});

test('a trained variant whose pruned parent is gone keeps its group', () => {
  const groups = retrainedGroups([base, rows[3]!, rows[4]!], 'h');
  expect(groups).toHaveLength(1);
  expect(groups[0]?.variants.map(({ variant, recovered }) => [variant, recovered])).toEqual([
    ['a', null],
    ['b', null],
  ]);
});

test('the verdict is that of the numbers', () => {
  const verdict = (given: ComparisonRow[]) => retrainingVerdict(retrainedGroups(given, 'h'));
  expect(verdict(rows)).toMatchObject({
    shown: true,
    text: expect.stringMatching(/^With 10% .* LoRA suffices, .* 4\.100 .*; with 30% .* wins/),
  });
  const loraWins = rows.map((each) =>
    each.variant === 'c' ? row('c', 'severe', [1, 2, 3], 7.9, [step('lora')]) : each,
  );
  expect(verdict(loraWins)).toMatchObject({ shown: false, text: expect.stringMatching(/do not show/) });
  expect(verdict(rows.slice(0, 5))).toMatchObject({ shown: null, text: expect.stringMatching(/^With 10%/) });
  expect(verdict(rows.slice(0, 4))).toBeNull();
});
