import { expect, test } from 'vitest';
import { checkSequences, makeBatches, predictedTokens } from './sequences';

const sequence = (length: number, first = 1): number[] => Array.from({ length }, (_, i) => first + i);

test('windows of one length share batches up to the rows that fit', () => {
  const batches = makeBatches([sequence(4), sequence(4), sequence(4)], 8);
  expect(batches.map(({ sequences, seqLen }) => [sequences, seqLen])).toEqual([
    [[0, 1], 4],
    [[2], 4],
  ]);
});

test('a window longer than the budget stands alone', () => {
  expect(makeBatches([sequence(9)], 4).map(({ sequences }) => sequences)).toEqual([[0]]);
});

test('windows of similar length are padded together, much shorter ones are not', () => {
  const batches = makeBatches([sequence(2), sequence(8), sequence(6)], 100);
  expect(batches.map(({ sequences, lengths, seqLen }) => [sequences, lengths, seqLen])).toEqual([
    [[1, 2], [8, 6], 8],
    [[0], [2], 2],
  ]);
});

test('tokens are padded with 0, and each target is the token that follows', () => {
  const [batch] = makeBatches([sequence(4, 10), sequence(3, 20)], 100);
  expect([...batch!.tokens]).toEqual([10, 11, 12, 13, 20, 21, 22, 0]);
  expect([...batch!.targets]).toEqual([11, 12, 13, 0, 21, 22, 0, 0]);
  expect(predictedTokens([sequence(4), sequence(3), sequence(1)])).toBe(5);
});

test.each([
  [[], 'expected at least one, got none'],
  [[[1], []], 'sequence 1: expected at least one token'],
  [[[1, 7]], 'sequence 0, token 1: expected an integer in [0, 7), got 7'],
  [[[0.5]], 'sequence 0, token 0: expected an integer in [0, 7), got 0.5'],
])('windows %j are refused: %s', (sequences, message) => {
  expect(() => checkSequences(sequences, 7)).toThrow(message);
});
