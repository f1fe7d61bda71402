/** @file Rows: their hash, and the split into rows to train on and rows held out. */
import { expect, test } from 'vitest';
import { hashSequences } from '../text/sequences';
import { hashRows, splitRows, targetsOf, textRows } from './rows';

const rows = textRows(Array.from({ length: 20 }, (_, index) => [index, index + 1, index + 2]));

test('rows of a text have the hash of their sequences; hidden predictions change it', () => {
  const tokens = rows.map((row) => [...row.tokens]);
  expect(hashRows(rows)).toBe(hashSequences(tokens));
  const hidden = rows.map((row, index) => ({ ...row, firstTarget: index === 3 ? 2 : 1 }));
  expect(hashRows(hidden)).not.toBe(hashRows(rows));
  expect([targetsOf(rows), targetsOf(hidden)]).toEqual([40, 39]);
});

test('a split has every row in one part, in order; its seed fixes it', () => {
  const { train, heldOut } = splitRows(rows, 0.25, 7);
  expect(heldOut).toHaveLength(5);
  const places = (part: typeof train) => part.map((row) => rows.indexOf(row));
  expect([...places(train), ...places(heldOut)].toSorted((a, b) => a - b)).toEqual([...rows.keys()]);
  expect(places(heldOut)).toEqual(places(heldOut).toSorted((a, b) => a - b));
  expect(splitRows(rows, 0.25, 7).heldOut).toEqual(heldOut);
  expect(splitRows(rows, 0.25, 8).heldOut).not.toEqual(heldOut);
});

test('equal rows are never in both parts, and each part has a row', () => {
  const twice = [...rows, ...rows];
  for (const seed of [1, 2, 3]) {
    const { train, heldOut } = splitRows(twice, 0.3, seed);
    const held = new Set(heldOut.map(({ tokens }) => tokens.join()));
    expect(train.some(({ tokens }) => held.has(tokens.join()))).toBe(false);
    expect(train.length + heldOut.length).toBe(40);
  }
  expect(splitRows(rows.slice(0, 2), 0.01, 1).heldOut).toHaveLength(1);
  expect(splitRows(rows.slice(0, 2), 0.99, 1).train).toHaveLength(1);
});

test.each([0, 1, -1, Number.NaN])('a share of %s is refused, and rows that are all alike', (fraction) => {
  expect(() => splitRows(rows, fraction, 1)).toThrow('heldOut: expected a share');
  expect(() => splitRows([rows[0]!, rows[0]!], 0.5, 1)).toThrow('two different rows');
});
