import { expect, test } from 'vitest';
import { makeBatches } from './sequences';
import { tokenUses } from './tokenUses';

test('tokens rise, their positions rise, and padding stands nowhere', () => {
  const [batch] = makeBatches(
    [
      [7, 0, 7, 3],
      [3, 9, 7],
    ],
    8,
  );
  // The second sequence is padded by a 0, which is not that token's use.
  expect([...batch!.tokens]).toEqual([7, 0, 7, 3, 3, 9, 7, 0]);
  const { tokens, starts, positions } = tokenUses(batch!);
  expect([...tokens]).toEqual([0, 3, 7, 9]);
  expect([...starts]).toEqual([0, 1, 3, 6, 7]);
  expect([...positions]).toEqual([1, 3, 4, 0, 2, 6, 5]);
});

test('one window of one token', () => {
  const { tokens, starts, positions } = tokenUses({ lengths: [1], seqLen: 1, tokens: Uint32Array.of(5) });
  expect([[...tokens], [...starts], [...positions]]).toEqual([[5], [0, 1], [0]]);
});
