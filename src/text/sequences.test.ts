import { expect, test } from 'vitest';
import { checkSequences, hashSequences } from './sequences';

test('windows that are right come back as copies', () => {
  const given = [
    [0, 1, 2],
    [9, 9],
  ];
  const checked = checkSequences(given, 10, 3);
  expect(checked).toEqual(given);
  expect(checked[0]).not.toBe(given[0]);
});

test.each<[unknown, string]>([
  ['text', 'expected a list of token sequences, got string'],
  [[], 'expected 1 to 100000 sequences, got 0'],
  [[1, 2], 'sequence 0: expected a list of token ids, got number'],
  [[[1, 2], [1]], 'sequence 1: expected 2 to 4 tokens, got 1'],
  [[[1, 2, 3, 4, 5]], 'sequence 0: expected 2 to 4 tokens, got 5'],
  [
    [
      [1, 2],
      [3, 10],
    ],
    'sequence 1, position 1: expected a whole number in [0, 10), got 10',
  ],
  [[[1, -1]], 'sequence 0, position 1'],
  [[[1.5, 1]], 'got 1.5'],
  [[['1', 1]], 'got string'],
  [[[1, null]], 'got null'],
  [[Array(3)], 'got undefined'],
])('%j is refused', (given, named) => {
  expect(() => checkSequences(given, 10, 4)).toThrow(named);
  expect(() => checkSequences(given, 10, 4)).toThrow(expect.objectContaining({ code: 'bad-argument' }));
});

test('the hash tells apart what was cut differently', () => {
  const hash = hashSequences([
    [1, 2],
    [3, 4],
  ]);
  expect(hash).toMatch(/^[0-9a-f]{16}$/);
  expect(hashSequences([[1, 2, 3, 4]])).not.toBe(hash);
  expect(
    hashSequences([
      [1, 2],
      [3, 5],
    ]),
  ).not.toBe(hash);
  expect(
    hashSequences([
      [1, 2],
      [3, 4],
    ]),
  ).toBe(hash);
});
