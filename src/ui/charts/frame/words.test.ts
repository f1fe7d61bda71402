import { expect, test } from 'vitest';
import { plainColour } from './standalone';
import { fileWords, wrapped } from './words';

test('words are wrapped at a width; a longer word has a line of its own', () => {
  const widthOf = (words: string): number => words.length;
  expect(wrapped('one two three  four', 9, widthOf)).toEqual(['one two', 'three', 'four']);
  expect(wrapped('extraordinary one', 5, widthOf)).toEqual(['extraordinary', 'one']);
  expect(wrapped('', 5, widthOf)).toEqual([]);
});

test('a model’s name becomes part of a file’s name', () => {
  expect(fileWords('hf:owner/Name-1B')).toBe('owner-name-1b');
  expect(fileWords('https://host/a folder/')).toBe('https-host-a-folder');
  expect(fileWords('…')).toBe('');
});

test('colours of a theme become plain ones', () => {
  expect(plainColour('rgb(21, 128, 61)')).toBe('#15803d');
  expect(plainColour('rgba(0, 0, 0, 0.1)')).toBe('rgba(0, 0, 0, 0.1)');
  expect(plainColour('url("#mlp-hatch")')).toBe('url(#mlp-hatch)');
  expect(plainColour('none')).toBe('none');
});
