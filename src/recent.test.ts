import { expect, test } from 'vitest';
import { Recent } from './recent';

test('the longest unused goes when there are too many', () => {
  const recent = new Recent<string, number>(2);
  recent.set('a', 1);
  recent.set('b', 2);
  expect(recent.get('a')).toBe(1);
  recent.set('c', 3);
  expect([...recent]).toEqual([
    ['a', 1],
    ['c', 3],
  ]);
  expect(recent.get('b')).toBeUndefined();
});

test('by weight: what is set anew counts once, and the newest stays however heavy it is', () => {
  const recent = new Recent<string, string>(10, (text) => text.length);
  recent.set('a', 'four');
  recent.set('a', 'sixsix');
  recent.set('b', 'four');
  expect([...recent.values()]).toEqual(['sixsix', 'four']);
  recent.set('c', 'more than ten letters');
  expect([...recent.values()]).toEqual(['more than ten letters']);
  recent.delete('c');
  recent.set('d', 'ten letters'.slice(0, 10));
  expect(recent.size).toBe(1);
});
