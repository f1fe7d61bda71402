import { beforeAll, expect, test } from 'vitest';
import '../testing/allclose';
import type { GpuContext } from '../gpu/device';
import { runKernel, sharedTestDevice } from '../testing/harness';
import { randomValues } from '../testing/testWeights';
import { bias } from './bias';

let context: GpuContext;
beforeAll(async () => {
  context = await sharedTestDevice();
});

test.each([
  { rows: 1, cols: 1, stride: 1, rowFirst: 0, yFirst: 0, biasFirst: 0 },
  { rows: 5, cols: 17, stride: 17, rowFirst: 2, yFirst: 0, biasFirst: 0 },
  { rows: 33, cols: 6, stride: 19, rowFirst: 1, yFirst: 10, biasFirst: 4 },
])('%o', async (params) => {
  const { rows, cols, stride, rowFirst, yFirst, biasFirst } = params;
  const weight = randomValues(biasFirst + cols, 1);
  const y = randomValues((rowFirst + rows + 1) * stride, 2);
  const expected = Float64Array.from(y, (value, i) => {
    const [row, col] = [Math.floor(i / stride) - rowFirst, (i % stride) - yFirst];
    return row >= 0 && row < rows && col >= 0 && col < cols ? value + weight[biasFirst + col]! : value;
  });
  expect(await runKernel(context, bias, { bias: weight, y }, params, 'y')).toBeAllclose(expected, {
    rtol: 1e-6,
    atol: 1e-7,
  });
});
