import { expect, test } from 'vitest';
import { protectedBlocks, removalOrder } from './order';

test('ascending by score, ties to the lower index', () => {
  expect(removalOrder([3, 1, 2, 1])).toEqual([1, 3, 2, 0]);
});

test('a score that is not a number is never removed', () => {
  expect(removalOrder([Number.NaN, 2, 1])).toEqual([2, 1]);
});

test('the + rule keeps the first four and the last two', () => {
  expect(protectedBlocks(12)).toEqual([0, 1, 2, 3, 10, 11]);
  expect(protectedBlocks(5)).toEqual([0, 1, 2, 3, 4]);
  expect(removalOrder([0, 0, 0, 0, 9, 7, 8, 0, 0], protectedBlocks(9))).toEqual([5, 6, 4]);
});

test('a run of blocks is left out when any of them is protected', () => {
  // 10 blocks, runs of 3: starts 4 and 5 avoid blocks 0–3 and 8–9
  expect(removalOrder([0, 0, 0, 0, 2, 1, 0, 0], protectedBlocks(10), 3)).toEqual([5, 4]);
});

test('published orders follow from the rule: LLaMA-7B Taylor, first six after the + rule', () => {
  const order = [
    0, 27, 24, 26, 25, 29, 28, 23, 22, 21, 30, 20, 19, 18, 17, 15, 14, 13, 16, 31, 1, 12, 11, 10, 9, 8, 7, 6, 5, 3, 2,
    4,
  ];
  const scores = new Array<number>(32);
  order.forEach((block, rank) => {
    scores[block] = rank;
  });
  expect(removalOrder(scores, protectedBlocks(32)).slice(0, 6)).toEqual([27, 24, 26, 25, 29, 28]);
});
