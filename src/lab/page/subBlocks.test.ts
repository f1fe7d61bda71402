import { expect, test } from 'vitest';
import { indexOf, unitAt } from '../../importance/numbering';
import type { SearchStep } from '../../importance/search/found';
import { emptyPlan, type PruningPlan } from '../../pruning/plan';
import {
  joined,
  planOfSubBlocks,
  removedSubBlocks,
  type SubBlockScores,
  stepsIn,
  withSubBlockToggled,
} from './subBlocks';

const plan = (blocks: number[], attention: number[] = [], mlp: number[] = []): PruningPlan => ({
  ...emptyPlan('m'),
  removeBlocks: blocks,
  removeAttention: attention,
  removeMlp: mlp,
});

test('sub-blocks are numbered as BlockPruner numbers them', () => {
  expect(indexOf('half', { layer: 3, kind: 'attention' })).toBe(6);
  expect(unitAt('half', 7)).toEqual({ layer: 3, kind: 'mlp' });
});

test('both sub-blocks of a block are the block', () => {
  expect(planOfSubBlocks('m', [6, 1, 7])).toEqual(plan([3], [], [0]));
  expect([...removedSubBlocks(plan([3], [5], [0]))].sort((a, b) => a - b)).toEqual([1, 6, 7, 10]);
});

test('a sub-block is removed, its block with the second one, and comes back alone', () => {
  const one = withSubBlockToggled(plan([]), { layer: 2, kind: 'attention' }, 4)!;
  expect(one).toEqual(plan([], [2]));
  const whole = withSubBlockToggled(one, { layer: 2, kind: 'mlp' }, 4)!;
  expect(whole).toEqual(plan([2]));
  expect(withSubBlockToggled(whole, { layer: 2, kind: 'attention' }, 4)).toEqual(plan([], [], [2]));
});

test('the last sub-block stays', () => {
  expect(withSubBlockToggled(plan([0], [1]), { layer: 1, kind: 'mlp' }, 2)).toBeNull();
  expect(withSubBlockToggled(plan([0], [1]), { layer: 1, kind: 'attention' }, 2)).toEqual(plan([0]));
});

test('scores of the two sub-blocks join once both are there', () => {
  const scored = (scores: number[], milliseconds: number) =>
    ({
      criterion: 'ppl',
      scores,
      milliseconds,
      peakGpuBytes: milliseconds,
      window: 1,
    }) as unknown as SubBlockScores['mlp'] & object;
  expect(joined({ attention: scored([1, 2], 5) })).toBeNull();
  expect(joined({ attention: scored([1, 2], 5), mlp: scored([3, 4], 7) })).toMatchObject({
    scores: [1, 3, 2, 4],
    milliseconds: 12,
    peakGpuBytes: 7,
  });
});

test('how many steps a plan consists of', () => {
  const steps: SearchStep[] = [
    { layer: 2, part: 'mlp', perplexity: 1 },
    { layer: 2, part: 'attention', perplexity: 1 },
    { layer: 0, part: 'attention', perplexity: 1 },
  ];
  expect(stepsIn(plan([]), steps)).toBe(0);
  expect(stepsIn(plan([], [], [2]), steps)).toBe(1);
  expect(stepsIn(plan([2]), steps)).toBe(2);
  expect(stepsIn(plan([2], [0]), steps)).toBe(3);
  expect(stepsIn(plan([2], [1]), steps)).toBeNull();
});
