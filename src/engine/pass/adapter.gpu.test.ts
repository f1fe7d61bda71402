/** @file Adapters of a projection in both directions, and the gradients of their factors, against float64. */
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { LabError } from '../../errors';
import { type LowRank, lowRank, lowRankBackward, mergedWeight } from '../../numerics/adapter';
import { linear } from '../../numerics/linear';
import { linearBackward } from '../../numerics/linearBackward';
import '../testing/allclose';
import { Buffers } from '../gpu/buffers';
import { CommandQueue } from '../gpu/commandQueue';
import type { GpuContext } from '../gpu/device';
import { KernelChoice } from '../kernels/kernelChoice';
import { longTier, sharedTestDevice } from '../testing/harness';
import { randomValues, stored } from '../testing/testWeights';
import type { Adapter } from '../weights/adapters';
import type { Projection } from '../weights/gpuWeights';
import { adapterGradients, addProduct } from './adapter';
import { project, projectBackward } from './projection';

let context: GpuContext;
let buffers: Buffers;
let queue: CommandQueue;
beforeAll(async () => {
  context = await sharedTestDevice();
  buffers = new Buffers(context);
  queue = new CommandQueue(context);
});
afterEach(() => {
  vi.restoreAllMocks();
});
afterAll(() => {
  queue.dispose();
  buffers.dispose();
});

async function upload(values: Float32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>): Promise<GPUBuffer> {
  const padded = new Uint8Array(Math.ceil(values.byteLength / 16) * 16);
  padded.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  const buffer = await buffers.allocate(padded.byteLength, 'test');
  context.device.queue.writeBuffer(buffer, 0, padded);
  return buffer;
}

const read = async (buffer: GPUBuffer, count: number) => new Float32Array(await queue.read(buffer, count * 4));
const near = { rtol: 2e-5, atol: 2e-5 };

/** A GPU without room for the matrix that factors are added to. Counts how often it was asked for. */
function refuseMergedMatrix(): () => number {
  const acquire = buffers.acquire.bind(buffers);
  let asked = 0;
  vi.spyOn(buffers, 'acquire').mockImplementation((bytes, label) => {
    if (label !== 'matrix with its factors') return acquire(bytes, label);
    asked += 1;
    return Promise.reject(new LabError('out-of-memory', `${label}: no room`, 'Close other tabs.'));
  });
  return () => asked;
}

/** Adapters of the first and the last columns; those between have none. */
test.each([
  { rows: 1, inner: 9, cols: 13, rank: 3, rate: 0 },
  { rows: 7, inner: 70, cols: 21, rank: 9, rate: 0.3 },
  { rows: 35, inner: 12, cols: 20, rank: 4, rate: 0 }, // many rows: the factors become part of the matrix
  { rows: 35, inner: 12, cols: 20, rank: 4, rate: 0, isFull: true }, // no room for that matrix
  ...(longTier ? [{ rows: 5, inner: 72, cols: 24, rank: 12, rate: 0, largeTiles: false }] : []),
])('$rows rows, rank $rank, dropout $rate: output, gradient of the input, gradients of the factors', async (sizes) => {
  const { rows, inner, cols, rank, rate, largeTiles = context.info.largeTiles, isFull = false } = sizes;
  const refused = isFull ? refuseMergedMatrix() : null;
  const weight = stored(randomValues(cols * inner, 1), 'F16');
  const places = [
    { first: 0, count: 5 },
    { first: cols - 4, count: 4 },
  ];
  const scale = 0.7;
  const adapters: (Adapter & { reference: LowRank })[] = [];
  for (const [index, { first, count }] of places.entries()) {
    const [a, b] = [randomValues(rank * inner, 10 + index), randomValues(count * rank, 20 + index)];
    const dropout = rate === 0 ? null : { rate, seed: 30 + index };
    const bound = { a: await upload(a), b: await upload(b) };
    const reference = { a, b, rank, scale, dropout };
    adapters.push({ ...bound, first, rank, inner, cols: count, scale, dropout, reference });
  }
  const matrix = { buffer: await upload(weight.bytes), dtype: 'F16', rows: cols, inner } as const;
  const projection: Projection = { matrix, bias: null, adapters };
  const on: GpuContext = Object.create(context, { info: { value: { ...context.info, largeTiles } } });
  const parts = { buffers, context: on, queue, choice: new KernelChoice(on.info, {}) };

  const x = randomValues(rows * inner, 3);
  const before = randomValues((rows + 1) * cols, 4);
  const y = await upload(before);
  const input = await upload(x);
  await project(parts, projection, input, { buffer: y, first: 1, count: rows }, true);
  const expected = Float64Array.from(before);
  linear(x, weight.values, inner).forEach((value, i) => {
    expected[cols + i]! += value;
  });
  for (const { first, cols: width, reference } of adapters) {
    lowRank(x, reference).forEach((value, i) => {
      expected[(1 + Math.floor(i / width)) * cols + first + (i % width)]! += value;
    });
  }
  expect(await read(y, before.length)).toBeAllclose(expected, near);

  const dY = randomValues(rows * cols, 5);
  const bound = { dY: await upload(dY), dX: await upload(randomValues(x.length, 6)) };
  await projectBackward(parts, projection, bound, rows);
  const dX = new Float64Array(x.length);
  linearBackward(dY, x, weight.values, inner, dX, new Float64Array(weight.values.length));
  for (const adapter of adapters) {
    const { first, cols: width, reference } = adapter;
    const own = dY.filter((_, i) => i % cols >= first && i % cols < first + width);
    const [dA, dB] = [new Float64Array(rank * inner), new Float64Array(width * rank)];
    lowRankBackward(own, x, reference, dX, dA, dB);
    const gradients = { a: await upload(new Float32Array(dA.length)), b: await upload(new Float32Array(dB.length)) };
    const factors = { x: input, dY: bound.dY, stride: cols, yFirst: first, rows };
    await adapterGradients(parts, adapter, factors, gradients, false);
    expect(await read(gradients.a, dA.length)).toBeAllclose(dA, near);
    await adapterGradients(parts, adapter, factors, gradients, true);
    expect(await read(gradients.b, dB.length)).toBeAllclose(
      dB.map((value) => 2 * value),
      near,
    );
  }
  expect(await read(bound.dX, x.length)).toBeAllclose(dX, near);
  if (refused) expect(refused()).toBe(2);

  const [{ reference, first, ...factors }] = [adapters[0]!];
  const values = randomValues(2 * inner, 7);
  const merged = await upload(values);
  await addProduct(parts, factors, merged, 3, 2); // rows 3 and 4 of B
  const all = new Float32Array(5 * inner);
  all.set(values, 3 * inner);
  expect(await read(merged, values.length)).toBeAllclose(mergedWeight(all, reference).subarray(3 * inner), near);
  expect(first).toBe(0);
});
