import { expect, test } from 'vitest';
import { firstForm, formFault, requestOf } from './form';

test('the first form asks for four fifths of the base’s time; empty budgets are left out', () => {
  expect(formFault(firstForm)).toBeNull();
  expect(requestOf(firstForm)).toEqual({ msShare: 0.8 });
  const own = {
    time: { value: 1.5, meant: 'absolute' as const },
    cache: { value: 12, meant: 'absolute' as const },
    removed: 20,
    units: ['neuron' as const, 'block' as const],
  };
  expect(requestOf(own)).toEqual({ msPerToken: 1.5, cacheBytes: 12_000, ratio: 0.2, units: ['block', 'neuron'] });
  expect(requestOf({ ...own, cache: { value: 50, meant: 'share' } })).toMatchObject({ cacheShare: 0.5 });
});

test.each([
  [{ time: { value: null, meant: 'share' as const } }, /at least one budget/],
  [{ time: { value: 0, meant: 'absolute' as const } }, /above zero/],
  [{ time: { value: Number.NaN, meant: 'absolute' as const } }, /above zero/],
  [{ time: { value: 100, meant: 'share' as const } }, /less than 100/],
  [{ removed: 100 }, /less than 100/],
  [{ units: [] }, /kind of unit/],
])('%j makes no request', (change, fault) => {
  expect(formFault({ ...firstForm, ...change })).toMatch(fault);
  expect(formFault({ ...firstForm, time: { value: 130, meant: 'absolute' } })).toBeNull();
});
