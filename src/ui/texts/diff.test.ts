import { expect, test } from 'vitest';
import { afterPrompt, diffWords, type Piece } from './diff';

const text = (pieces: Piece[]): string => pieces.map((piece) => piece.text).join('');
const marked = (pieces: Piece[]): string[] => pieces.filter((p) => p.differs).map((p) => p.text.trim());

test('equal texts differ nowhere', () => {
  expect(diffWords('a b  c', 'a b  c')).toEqual({
    base: [{ text: 'a b  c', differs: false }],
    variant: [{ text: 'a b  c', differs: false }],
  });
});

test('a replaced word is marked on both sides', () => {
  const { base, variant } = diffWords(
    'She gave it to Tom because he asked.',
    'She gave it to the garden because he asked.',
  );
  expect(marked(base)).toEqual(['Tom']);
  expect(marked(variant)).toEqual(['the garden']);
});

test('an insertion marks only what was inserted', () => {
  const { base, variant } = diffWords('they flew home', 'they all flew home');
  expect(marked(base)).toEqual([]);
  expect(marked(variant)).toEqual(['all']);
});

test('a changed line break alone is no difference', () => {
  const { variant } = diffWords('one two', 'one\ntwo');
  expect(marked(variant)).toEqual([]);
  expect(text(variant)).toBe('one\ntwo');
});

test.each([
  ['', ''],
  ['', 'new words here'],
  [' leading and  double  spaces ', 'other text\n\nwith lines'],
])('the pieces of %j and %j join to the texts again', (a, b) => {
  const { base, variant } = diffWords(a, b);
  expect(text(base)).toBe(a);
  expect(text(variant)).toBe(b);
});

test('the prompt is not repeated', () => {
  expect(afterPrompt('One day, ', 'One day, Tom')).toBe('Tom');
  expect(afterPrompt('One day, ', 'Tom')).toBe('Tom');
});
