import { beforeAll, expect, test } from 'vitest';
import '../testing/allclose';
import type { GpuContext } from '../gpu/device';
import { runKernel, sharedTestDevice } from '../testing/harness';
import { randomValues } from '../testing/testWeights';
import { foldedCount, foldPairs } from './foldPairs';

let context: GpuContext;
beforeAll(async () => {
  context = await sharedTestDevice();
});

test.each([1, 64, 1000, 12345])('%i pairs become few, with the same sums', async (length) => {
  const pairs = randomValues(2 * length, 1);
  const count = foldedCount(length);
  const sums = await runKernel(
    context,
    foldPairs,
    { pairs, sums: 2 * (count + 3) },
    { length, count, first: 3 },
    'sums',
  );
  const total = (values: Float32Array, which: number): number =>
    values.reduce((sum, value, i) => (i % 2 === which ? sum + value : sum), 0);
  const folded = sums.slice(6);
  expect([total(folded, 0), total(folded, 1)]).toBeAllclose([total(pairs, 0), total(pairs, 1)], {
    rtol: 1e-5,
    atol: 1e-4,
  });
});

test('what is read back stays small', () => {
  expect(foldedCount(1)).toBe(1);
  expect(foldedCount(6400)).toBe(100);
  expect(foldedCount(10_000_000)).toBe(4096);
});
