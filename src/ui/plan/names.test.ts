import { expect, test } from 'vitest';
import { emptyPlan, planOfUnits } from '../../pruning/plan';
import { repairOf, repairsOf } from './repairNames';
import { ruleText } from './ruleText';

test('the rule of a plan in short, and in the sentences of its method', () => {
  expect(ruleText({ method: 'flap', ratio: 0.2, asPublished: true })).toEqual({
    short: 'FLAP as published, 20% asked for',
    sentences: expect.stringContaining('170'),
  });
  expect(ruleText({ method: 'wanda-sp', ratio: 0.2, sequential: true, roundTo: 32 }).short).toBe(
    'Wanda-sp block by block, 20% asked for, multiples of 32',
  );
});

test('removed blocks and removed heads have different repairs', () => {
  expect(repairsOf(emptyPlan('m'))).toEqual([]);
  expect(repairsOf(planOfUnits('m', [{ kind: 'block', layer: 1 }]))).toEqual(['prune-and-comp', 'replace-me']);
  expect(repairsOf(planOfUnits('m', [], { keepHeads: [[0]] }))).toEqual(['flap-bias']);
});

test('the last repair of a recipe counts', () => {
  const text = { corpus: 'c', samples: 1, seqLen: 1, seed: 1, hash: 'h' };
  const repair = (method: 'replace-me' | 'prune-and-comp') => ({ kind: 'repair', method, text }) as const;
  expect(repairOf([{ kind: 'prune', plan: emptyPlan('m') }])).toBeNull();
  expect(repairOf([repair('prune-and-comp'), repair('replace-me')])).toBe('replace-me');
});
