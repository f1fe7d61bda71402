import { expect, test } from 'vitest';
import { howItEnded } from './openingWords';

const mark = { key: 'k', source: 'o/n', stage: 'loading', left: false, times: 1, since: 0 } as const;

test('a crash is not called a fault of the person, and closing is not called a crash', () => {
  const crashed = howItEnded(mark, 'o/n');
  expect(crashed.title).toBe('The last visit ended while o/n was opening');
  expect(crashed.cause).toContain('crashed');
  const left = howItEnded({ ...mark, left: true }, 'o/n');
  expect(left.cause).toContain('closed or reloaded');
  expect(left.cause).not.toContain('crashed');
});

test('how far it came, how often, and when', () => {
  expect(howItEnded({ ...mark, stage: 'measuring' }, 'o/n').cause).toContain('first numbers');
  expect(howItEnded({ ...mark, stage: 'more' }, 'o/n').cause).toContain('The first perplexity was shown');
  expect(howItEnded(mark, 'o/n').cause).not.toContain('in a row');
  expect(howItEnded({ ...mark, times: 3 }, 'o/n').cause).toContain('3 times in a row');
  expect(howItEnded({ ...mark, settled: true }, 'o/n').title).toContain('An earlier visit');
});
