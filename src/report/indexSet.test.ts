import { expect, test } from 'vitest';
import { createRandom, randomInt } from '../numerics/random';
import { readIndexSet, writeIndexSet } from './indexSet';

test('bits count from the lowest of the first byte', () => {
  expect(writeIndexSet([])).toBe('');
  expect(writeIndexSet([0])).toBe(btoa('\x01'));
  expect(writeIndexSet([1, 7, 8])).toBe(btoa('\x82\x01'));
});

test('any set comes back', () => {
  const random = createRandom(5);
  for (let round = 0; round < 200; round++) {
    const [end, share] = [1 + randomInt(random, 300), random()];
    const indices = Array.from({ length: end }, (_, index) => index).filter(() => random() < share);
    expect(readIndexSet(writeIndexSet(indices), end)).toEqual(indices);
  }
});

test('any text is a set of indices below the bound, or is refused', () => {
  const random = createRandom(6);
  const characters = 'ABCxyz019+/= \n-_é,';
  let sets = 0;
  for (let round = 0; round < 2000; round++) {
    const length = randomInt(random, 12);
    const text = Array.from({ length }, () => characters[randomInt(random, characters.length)]).join('');
    const indices = readIndexSet(text, 40);
    if (indices === null) continue;
    sets += 1;
    expect(indices.every((index, at) => index < 40 && index > (indices[at - 1] ?? -1))).toBe(true);
    expect(readIndexSet(writeIndexSet(indices), 40)).toEqual(indices);
  }
  expect(sets).toBeGreaterThan(20);
});

test('text that is longer than the indices below the bound need is refused before it is read', () => {
  expect(readIndexSet('A'.repeat(8), 24)).toBeNull();
  expect(readIndexSet(writeIndexSet([24]), 24)).toBeNull();
  expect(readIndexSet(writeIndexSet([23]), 24)).toEqual([23]);
});
