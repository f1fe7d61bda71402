import { beforeAll, expect, test } from 'vitest';
import type { StoredDtype } from '../../model/weights';
import type { GpuContext } from '../gpu/device';
import { runKernel, sharedTestDevice } from '../testing/harness';
import { randomValues, stored } from '../testing/testWeights';
import { absoluteSum, partialCount } from './absoluteSum';

let context: GpuContext;
beforeAll(async () => {
  context = await sharedTestDevice();
});

test.each<[StoredDtype, number]>([
  ['F32', 1],
  ['F32', 64 * 172],
  ['F16', 65 * 7],
  ['BF16', 50_001],
])('Σ|w| of %s × %i', async (dtype, elements) => {
  const weight = stored(randomValues(elements, 1), dtype);
  const perVector = dtype === 'F32' ? 16 : 8;
  const vectors = (Math.ceil(weight.bytes.byteLength / 16) * 16) / perVector;
  const count = partialCount(vectors);
  const partials = await runKernel(
    context,
    absoluteSum[dtype],
    { weight: weight.bytes, partials: count },
    { vectors, count, first: 0 },
    'partials',
  );
  const sum = partials.reduce((a, b) => a + b, 0);
  const expected = weight.values.reduce((a, b) => a + Math.abs(b), 0);
  expect(Math.abs(sum / expected - 1)).toBeLessThan(1e-6);
});
