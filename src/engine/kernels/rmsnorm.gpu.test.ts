import { beforeAll, expect, test } from 'vitest';
import { rmsnorm as reference } from '../../numerics/rmsnorm';
import '../allclose';
import type { GpuContext } from '../device';
import { openTestDevice, runKernel } from '../testing';
import { randomValues } from '../testWeights';
import { rmsnorm } from './rmsnorm';

let context: GpuContext;
beforeAll(async () => {
  context = await openTestDevice();
});

test.each([
  [1, 64],
  [7, 896],
  [3, 65],
  [129, 1],
])('rmsnorm of %i × %i', async (rows, hidden) => {
  const weight = randomValues(hidden, 1);
  const x = randomValues((rows + 2) * hidden, 2, 3);
  const eps = 1e-5;
  const params = { rows, hidden, eps, xFirst: 2 };
  const y = await runKernel(context, rmsnorm, { weight, x, y: rows * hidden }, params, 'y');
  expect(y).toBeAllclose(reference(x.subarray(2 * hidden), weight, eps), { rtol: 1e-5, atol: 1e-6 });
});
