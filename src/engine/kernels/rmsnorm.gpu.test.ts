import { beforeAll, expect, test } from 'vitest';
import { rmsnorm as reference } from '../../numerics/rmsnorm';
import '../testing/allclose';
import type { GpuContext } from '../gpu/device';
import { runKernel, sharedTestDevice } from '../testing/harness';
import { randomValues } from '../testing/testWeights';
import { addNormalized } from './addNormalized';
import { rmsnorm } from './rmsnorm';

let context: GpuContext;
beforeAll(async () => {
  context = await sharedTestDevice();
});

test.each([
  [1, 64, 0],
  [7, 896, 0],
  [3, 65, 0],
  [129, 1, 0],
  [5, 66, 1],
])('rmsnorm of %i × %i with weights and %i, into rows of its own and added to others', async (rows, hidden, offset) => {
  const weight = randomValues(hidden, 1);
  const x = randomValues((rows + 2) * hidden, 2, 3);
  const eps = 1e-5;
  const params = { rows, hidden, eps, xFirst: 2 };
  const y = await runKernel(context, rmsnorm(offset), { weight, x, y: rows * hidden }, params, 'y');
  const expected = reference(x.subarray(2 * hidden), weight, eps, offset);
  expect(y).toBeAllclose(expected, { rtol: 1e-5, atol: 1e-6 });

  const before = randomValues((rows + 3) * hidden, 3);
  const added = await runKernel(
    context,
    addNormalized(offset),
    { weight, x: x.subarray(2 * hidden), y: before },
    { rows, hidden, eps, yFirst: 2 },
    'y',
  );
  const sum = Float64Array.from(before, (value, i) => value + (expected[i - 2 * hidden] ?? 0));
  expect(added).toBeAllclose(sum, { rtol: 1e-5, atol: 1e-6 });
});
