import { afterEach, expect, test, vi } from 'vitest';
import { checkBudget, saveBudget, savedBudget } from './memoryBudget';

afterEach(() => vi.unstubAllGlobals());

function storage(): void {
  const kept = new Map<string, string>();
  vi.stubGlobal('localStorage', {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  });
}

test('a bound survives a visit, and goes when it is lifted', () => {
  storage();
  expect(savedBudget()).toBeNull();
  saveBudget(5e8);
  expect(savedBudget()).toBe(5e8);
  saveBudget(null);
  expect(savedBudget()).toBeNull();
});

test('what is no bound is none', () => {
  storage();
  localStorage.setItem('secateur.memoryBytes', '12');
  expect(savedBudget()).toBeNull();
  localStorage.setItem('secateur.memoryBytes', 'much');
  expect(savedBudget()).toBeNull();
});

test('without storage there is none, and setting one does no harm', () => {
  vi.stubGlobal('localStorage', undefined);
  saveBudget(5e8);
  expect(savedBudget()).toBeNull();
});

test.each([0, 12, -1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 50])('%s bytes are refused', (bytes) => {
  expect(() => checkBudget(bytes)).toThrow(expect.objectContaining({ code: 'bad-argument' }));
});

test.each([null, 1e6, 4e9])('%s is accepted', (bytes) => {
  expect(() => checkBudget(bytes)).not.toThrow();
});
