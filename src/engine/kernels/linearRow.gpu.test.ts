import { beforeAll, describe, expect, test } from 'vitest';
import type { StoredDtype } from '../../model/weights';
import { linear as reference } from '../../numerics/linear';
import '../testing/allclose';
import type { GpuContext } from '../gpu/device';
import { runKernel, sharedTestDevice } from '../testing/harness';
import { randomValues, stored } from '../testing/testWeights';
import { linearRow } from './linearRow';

let context: GpuContext;
beforeAll(async () => {
  context = await sharedTestDevice();
});

describe.each<StoredDtype>(['F32', 'F16', 'BF16'])('one row with %s weights', (dtype) => {
  test.each([
    ['alone', 64, 64],
    ['alone', 172, 511],
    ['alone', 7, 5],
    ['alone', 4, 1],
    ['lanes', 64, 64],
    ['lanes', 172, 511],
    ['lanes', 173, 66],
    ['lanes', 4, 1],
  ] as const)('%s, %i · %iᵀ', async (kind, inner, cols) => {
    const weight = stored(randomValues(cols * inner, 1), dtype);
    const x = randomValues(3 * inner, 2);
    const y = randomValues(3 * cols, 3);
    const product = reference(x.subarray(2 * inner), weight.values, inner);
    for (const accumulate of [0, 1]) {
      const out = await runKernel(
        context,
        linearRow(dtype, inner, kind === 'alone'),
        { weight: weight.bytes, x, y },
        { inner, cols, xFirst: 2, yFirst: 1, accumulate },
        'y',
      );
      const expected = y.map((value, i) => {
        const own = product[i - cols];
        return own === undefined || i >= 2 * cols ? value : own + accumulate * value;
      });
      expect(out).toBeAllclose(expected, { rtol: 1e-5, atol: 1e-5 });
    }
  });
});
