import { beforeAll, expect, test } from 'vitest';
import { maskChannels as reference } from '../../numerics/maskChannels';
import type { GpuContext } from '../gpu/device';
import { runKernel, sharedTestDevice } from '../testing/harness';
import { randomValues } from '../testing/testWeights';
import { maskChannels } from './maskChannels';

let context: GpuContext;
beforeAll(async () => {
  context = await sharedTestDevice();
});

test.each([
  ['some of few', 5, 7, [0, 1, 1, 0, 1, 0, 1]],
  ['more than a workgroup', 3, 67, Array.from({ length: 67 }, (_, channel) => (channel % 3 === 0 ? 0 : 1))],
  ['none stays', 2, 3, [0, 0, 0]],
  ['all stay', 2, 3, [1, 1, 1]],
] as const)('%s', async (_, rows, channels, keep) => {
  // What a masked channel held does not matter, not even if it was no number.
  const x = randomValues(rows * channels, 1).map((value, at) => (at === 3 ? Number.NaN : value));
  const found = await runKernel(context, maskChannels, { keep: Uint32Array.from(keep), x }, { rows, channels }, 'x');
  expect([...found]).toEqual([...reference(x, keep)]);
});
