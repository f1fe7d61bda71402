/** @file A projection in both directions against float64: one matmul for all roles of its matrix, and biases for some columns. */
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { linear } from '../../numerics/linear';
import { linearBackward } from '../../numerics/linearBackward';
import '../testing/allclose';
import { Buffers } from '../gpu/buffers';
import { CommandQueue } from '../gpu/commandQueue';
import type { GpuContext } from '../gpu/device';
import { KernelChoice } from '../kernels/kernelChoice';
import { sharedTestDevice } from '../testing/harness';
import { randomValues, stored } from '../testing/testWeights';
import type { Projection } from '../weights/gpuWeights';
import { project, projectBackward } from './projection';

let context: GpuContext;
let buffers: Buffers;
let queue: CommandQueue;
beforeAll(async () => {
  context = await sharedTestDevice();
  buffers = new Buffers(context);
  queue = new CommandQueue(context);
});
afterAll(() => {
  queue.dispose();
  buffers.dispose();
});

async function upload(bytes: Uint8Array<ArrayBuffer>): Promise<GPUBuffer> {
  const padded = new Uint8Array(Math.ceil(bytes.byteLength / 16) * 16);
  padded.set(bytes);
  const buffer = await buffers.allocate(padded.byteLength, 'test');
  context.device.queue.writeBuffer(buffer, 0, padded);
  return buffer;
}

const bytesOf = (values: Float32Array<ArrayBuffer>): Uint8Array<ArrayBuffer> => new Uint8Array(values.buffer);

/** Biases of the columns 0 … 4 and 9 … 11 of twelve. */
const runs = [
  { first: 0, count: 5, biasFirst: 0 },
  { first: 9, count: 3, biasFirst: 5 },
];

test.each([
  { rows: 1, inner: 8, cols: 12, accumulate: false, biased: true },
  { rows: 1, inner: 9, cols: 12, accumulate: true, biased: true },
  { rows: 7, inner: 8, cols: 12, accumulate: true, biased: true },
  { rows: 7, inner: 9, cols: 12, accumulate: false, biased: true },
  { rows: 3, inner: 20, cols: 21, accumulate: false, biased: false },
])('%o', async ({ rows, inner, cols, accumulate, biased }) => {
  const weight = stored(randomValues(cols * inner, 1), 'F16');
  const bias = randomValues(8, 2);
  const projection: Projection = {
    matrix: { buffer: await upload(weight.bytes), dtype: 'F16', rows: cols, inner },
    bias: biased ? { buffer: await upload(bytesOf(bias)), runs } : null,
  };
  const parts = { buffers, context, queue, choice: new KernelChoice(context.info, {}) };
  const launch = vi.spyOn(queue, 'launch');
  const names = () => launch.mock.calls.splice(0).map(([kernel]) => kernel.name.split(' ')[0]);

  const x = randomValues(rows * inner, 3);
  const before = randomValues((rows + 1) * cols, 4);
  const y = await upload(bytesOf(before));
  await project(parts, projection, await upload(bytesOf(x)), { buffer: y, first: 1, count: rows }, accumulate);
  expect(names()).toEqual(['linear', ...(biased ? ['bias', 'bias'] : [])]);
  const expected = Float64Array.from(before);
  linear(x, weight.values, inner).forEach((value, i) => {
    const column = i % cols;
    const run = runs.find(({ first, count }) => biased && column >= first && column < first + count);
    const added = run === undefined ? 0 : bias[run.biasFirst + column - run.first]!;
    expected[cols + i] = value + added + (accumulate ? before[cols + i]! : 0);
  });
  const found = new Float32Array(await queue.read(y, before.byteLength));
  expect(found).toBeAllclose(expected, { rtol: 1e-5, atol: 1e-5 });

  const dY = randomValues(rows * cols, 5);
  const dX = randomValues(rows * inner, 6);
  const bound = { dY: await upload(bytesOf(dY)), dX: await upload(bytesOf(dX)) };
  await projectBackward(parts, projection, bound, rows, accumulate);
  expect(names()).toEqual(['linearInputGradient']);
  const gradient = accumulate ? Float64Array.from(dX) : new Float64Array(dX.length);
  linearBackward(dY, x, weight.values, inner, gradient, new Float64Array(weight.values.length));
  const back = new Float32Array(await queue.read(bound.dX, dX.byteLength));
  expect(back).toBeAllclose(gradient, { rtol: 1e-5, atol: 1e-5 });
  launch.mockRestore();
});
