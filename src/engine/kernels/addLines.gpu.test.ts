/** @file Sums of columns against float64: over all lines and over parts of them, some columns only, added to what is there. */
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
  { count: 1, stride: 1, first: 0, length: 1, part: 1, accumulate: 0 },
  { count: 3, stride: 64, first: 0, length: 64, part: 3, accumulate: 0 },
  { count: 129, stride: 67, first: 0, length: 67, part: 129, accumulate: 0 },
  { count: 129, stride: 67, first: 13, length: 45, part: 129, accumulate: 1 },
  { count: 130, stride: 19, first: 18, length: 1, part: 64, accumulate: 0 },
  { count: 65, stride: 70, first: 3, length: 66, part: 16, accumulate: 1 },
])('%o', async (params) => {
  const { count, stride, first, length, part, accumulate } = params;
  const lines = randomValues(count * stride, 1);
  const before = randomValues(Math.ceil(count / part) * length, 2);
  const y = await runKernel(context, addLines, { lines, y: accumulate === 1 ? before : before.length }, params, 'y');
  const expected = accumulate === 1 ? Float64Array.from(before) : new Float64Array(before.length);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < length; j++) {
      expected[Math.floor(i / part) * length + j]! += lines[i * stride + first + j]!;
    }
  }
  expect(y).toBeAllclose(expected, { rtol: 1e-5, atol: 1e-5 });
});
