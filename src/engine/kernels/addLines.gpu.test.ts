import { beforeAll, expect, test } from 'vitest';
import '../testing/allclose';
import type { GpuContext } from '../gpu/device';
import { runKernel, sharedTestDevice } from '../testing/harness';
import { randomValues } from '../testing/testWeights';
import { addLines } from './addLines';

let context: GpuContext;
beforeAll(async () => {
  context = await sharedTestDevice();
});

test.each([
  [1, 1],
  [3, 64],
  [129, 67],
])('%i lines of %i', async (count, length) => {
  const lines = randomValues(count * length, 1);
  const y = await runKernel(context, addLines, { lines, y: length }, { count, length }, 'y');
  const expected = new Float64Array(length);
  for (const [index, value] of lines.entries()) expected[index % length]! += value;
  expect(y).toBeAllclose(expected, { rtol: 1e-5, atol: 1e-5 });
});
