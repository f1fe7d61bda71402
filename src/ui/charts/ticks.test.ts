import { expect, test } from 'vitest';
import { keptAxis, linearAxis, logAxis } from './ticks';

test('a log axis over decades ticks at decades', () => {
  const { domain, ticks } = logAxis([4, 9000]);
  expect(ticks).toEqual([10, 100, 1000, 10_000].filter((tick) => tick <= domain[1]));
  expect(domain[0]).toBeLessThan(4);
  expect(domain[1]).toBeGreaterThan(9000);
});

test('a narrow log axis ticks in equal round steps', () => {
  expect(logAxis([13.4, 23.5]).ticks).toEqual([15, 17.5, 20, 22.5]);
});

test.each([[[20.9, 21]], [[4.1, 26]], [[1e-3, 2e-3]], [[5]], [[0.3, 4e5]]])(
  'ticks of %j are few, ascending and inside',
  (values) => {
    const { domain, ticks } = logAxis(values);
    expect(ticks.length).toBeGreaterThanOrEqual(2);
    expect(ticks.length).toBeLessThanOrEqual(7);
    for (const tick of ticks) {
      expect(tick).toBeGreaterThanOrEqual(domain[0]);
      expect(tick).toBeLessThanOrEqual(domain[1]);
    }
    expect([...ticks].sort((a, b) => a - b)).toEqual(ticks);
  },
);

test('what a log axis cannot hold is left out', () => {
  expect(logAxis([0, -1, Number.POSITIVE_INFINITY])).toEqual({ domain: [1, 10], ticks: [1, 10] });
});

test('a linear axis holds zero and ends on a round number', () => {
  expect(linearAxis([0.05, 0.31])).toEqual({ domain: [0, 0.4], ticks: [0, 0.1, 0.2, 0.3, 0.4] });
  expect(linearAxis([4494, 4914]).ticks).toEqual([0, 2000, 4000, 6000]);
  expect(linearAxis([-1, 1]).domain).toEqual([-1, 1]);
  expect(linearAxis([]).ticks.length).toBeGreaterThan(1);
});

test('the size axis begins at the whole model and reaches below the smallest variant', () => {
  expect(keptAxis([100, 84]).domain[0]).toBe(80);
  const { domain, ticks } = keptAxis([100, 52]);
  expect(domain[0]).toBe(40);
  expect(ticks[0]).toBe(100);
  expect(keptAxis([3]).domain[0]).toBe(0);
});
