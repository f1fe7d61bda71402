import { beforeAll, expect, test, vi } from 'vitest';
import { columnSums } from '../kernels/columnSums';
import { sharedTestDevice } from '../testing/harness';
import { Buffers } from './buffers';
import { CommandQueue } from './commandQueue';
import type { GpuContext } from './device';
import { ReadLater } from './readLater';

let context: GpuContext;
beforeAll(async () => {
  context = await sharedTestDevice();
});

test('every result reaches its owner: several in one read, in turns, and one larger than the room', async () => {
  const buffers = new Buffers(context);
  const queue = new CommandQueue(context);
  const reads = vi.spyOn(queue, 'read');
  const later = new ReadLater({ buffers, queue }, 16);
  const found: number[][] = [];
  const expected: number[][] = [];
  for (const [index, count] of [3, 4, 2, 20, 1].entries()) {
    const weight = await buffers.acquire(count * 4, 'weight');
    const values = Float32Array.from({ length: count }, (_, i) => -10 * index - i);
    await queue.write(weight, values);
    const { buffer, first } = await later.pairs(count, (pairs) => {
      found[index] = [...pairs];
    });
    const params = { rows: 1, inner: count, chunkRows: 1, yFirst: first };
    await queue.launch(columnSums.F32, { weight, y: buffer }, params, 0);
    expected.push([...values].flatMap((value) => [Math.abs(value), value * value]));
  }
  await later.flush();
  expect(found).toEqual(expected);
  // 3 and 4 pairs together, then 2, then 20 in a larger room, then 1.
  expect(reads).toHaveBeenCalledTimes(4);
  await later.flush();
  expect(reads).toHaveBeenCalledTimes(4);
  queue.dispose();
  buffers.dispose();
});
