import { expect, test } from 'vitest';
import { diskAdvice, type Forgettable, whatToForget } from './diskBudget';

const models: Forgettable[] = [
  { source: 'new', bytes: 500, lastUsed: 30 },
  { source: 'old', bytes: 100, lastUsed: 10 },
  { source: 'older than new', bytes: 400, lastUsed: 20 },
];
const names = (missing: number | null): string[] => whatToForget(missing, models).map(({ source }) => source);

test('one model that is enough, the one not used for longest; else several; else none', () => {
  expect(names(100)).toEqual(['old']);
  expect(names(101)).toEqual(['older than new']);
  expect(names(401)).toEqual(['new']);
  expect(names(501)).toEqual(['old', 'older than new', 'new']);
  expect(names(1001)).toEqual([]);
  expect(names(null)).toEqual(['old']);
});

test('the advice names them with their sizes, or says that it is no use', () => {
  expect(diskAdvice(100, models)).toBe('Forget old (100 bytes), or free disk space, then load again.');
  expect(diskAdvice(2000, models)).toMatch(/^Forgetting all stored models \(1000 bytes\) would not be enough/);
  expect(diskAdvice(1, [])).toMatch(/^There is no stored model/);
  expect(diskAdvice(1, models, true)).toMatch(
    /the part that was downloaded is kept, and only the rest is downloaded\.$/,
  );
});
