import { beforeAll, expect, test } from 'vitest';
import { openTestDevice } from '../testing/harness';
import { Buffers } from './buffers';
import type { GpuContext } from './device';

let context: GpuContext;
beforeAll(async () => {
  context = await openTestDevice();
});

test('live and peak bytes are counted by label, and dispose frees all', async () => {
  const buffers = new Buffers(context);
  await buffers.allocate(1000, 'weights');
  const activation = await buffers.acquire(64, 'hidden');
  expect(buffers.use()).toEqual({ liveBytes: 1072, peakBytes: 1072, byLabel: { weights: 1008, hidden: 64 } });
  buffers.free(activation);
  expect(buffers.use()).toMatchObject({ liveBytes: 1008, peakBytes: 1072 });
  buffers.resetPeak();
  expect(buffers.use().peakBytes).toBe(1008);
  buffers.dispose();
  expect(buffers.use()).toMatchObject({ liveBytes: 0, byLabel: {} });
});

test('a buffer that was given back is taken again where it fits, and is not wasted on a small one', async () => {
  const buffers = new Buffers(context);
  const large = await buffers.acquire(1 << 20, 'a');
  buffers.release(large);
  expect(await buffers.acquire(1 << 10, 'small')).not.toBe(large);
  expect(await buffers.acquire((1 << 20) - 100, 'b')).toBe(large);
  expect(buffers.use().byLabel).toMatchObject({ b: 1 << 20 });
  buffers.dispose();
});

test('what a task took ends with it, given back or not', async () => {
  const buffers = new Buffers(context);
  const kept = await buffers.allocate(16, 'weights');
  buffers.release(await buffers.acquire(160, 'given back'));
  await buffers.acquire(320, 'forgotten');
  buffers.release(kept); // was never taken: stays
  buffers.endTask();
  expect(buffers.use().byLabel).toEqual({ weights: 16 });
  buffers.dispose();
});

test('beyond the adapter’s limit the error gives both numbers', async () => {
  const buffers = new Buffers(context);
  const { maxBufferSize, maxStorageBufferBindingSize } = context.device.limits;
  const limit = Math.min(maxBufferSize, maxStorageBufferBindingSize);
  await expect(buffers.allocate(limit + 16, 'lmHead')).rejects.toMatchObject({
    code: 'unsupported-limit',
    message: expect.stringMatching(new RegExp(`^lmHead: .* is ${limit} bytes, but ${limit + 16} are needed`)),
  });
  expect(buffers.use().liveBytes).toBe(0);
});
