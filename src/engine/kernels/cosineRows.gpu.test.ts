import { beforeAll, expect, test } from 'vitest';
import { cosineRows as reference } from '../../numerics/cosine';
import '../testing/allclose';
import type { GpuContext } from '../gpu/device';
import { runKernel, sharedTestDevice } from '../testing/harness';
import { randomValues } from '../testing/testWeights';
import { cosineRows } from './cosineRows';

let context: GpuContext;
beforeAll(async () => {
  context = await sharedTestDevice();
});

test.each([
  [1, 64],
  [70, 65],
  [5, 1],
])('cosine of %i pairs of rows of %i', async (rows, hidden) => {
  const a = randomValues(rows * hidden, 1);
  const b = randomValues((rows + 1) * hidden, 2);
  const params = { rows, hidden, aFirst: 0, bFirst: 1, yFirst: 0 };
  const y = await runKernel(context, cosineRows, { a, b, y: rows }, params, 'y');
  expect(y).toBeAllclose(reference(a, b.subarray(hidden), hidden), { rtol: 1e-5, atol: 1e-6 });
});

test('a zero row has cosine 0', async () => {
  const params = { rows: 1, hidden: 2, aFirst: 0, bFirst: 0, yFirst: 0 };
  const y = await runKernel(
    context,
    cosineRows,
    { a: new Float32Array(2), b: Float32Array.of(1, 2), y: 1 },
    params,
    'y',
  );
  expect([...y]).toEqual([0]);
});
