/** @file What a tape takes: `tapeBytes`, by which a pass decides what it keeps, is what `record` keeps. */
import { beforeAll, expect, test, vi } from 'vitest';
import type { LayerShape, ModelShape } from '../../model/shape';
import { Buffers } from '../gpu/buffers';
import { CommandQueue } from '../gpu/commandQueue';
import type { GpuContext } from '../gpu/device';
import { KernelChoice } from '../kernels/kernelChoice';
import { sharedTestDevice } from '../testing/harness';
import { randomModel } from '../testing/testWeights';
import { uploadWeights } from '../weights/modelWeights';
import { Forward } from './forward';
import { embedBatch } from './runtime';
import { makeBatches } from './sequences';
import { Tapes, tapeBytes } from './tape';

let context: GpuContext;
beforeAll(async () => {
  context = await sharedTestDevice();
});

const plain: LayerShape = { source: 0, heads: 4, kvHeads: 2, headDim: 8, ffn: 44 };
const shape: ModelShape = {
  family: 'llama',
  vocab: 67,
  hidden: 32,
  layers: [
    plain,
    { ...plain, source: 1, qkNorm: 'head', window: 3 },
    { ...plain, source: 2, biases: ['qBias', 'kBias', 'vBias', 'oBias', 'gateBias', 'upBias', 'downBias'] },
    { ...plain, source: 3, ffn: 0, qkNorm: 'head' },
    { ...plain, source: 4, heads: 0, kvHeads: 0 },
    { ...plain, source: 5, normPlacement: 'both', activation: 'gelu_tanh', scoreSoftcap: 2 },
    { ...plain, source: 6, normPlacement: 'post', qkNorm: 'all' },
  ],
  normEps: 1e-5,
  ropeTheta: 10000,
  maxPositions: 64,
  tiedHead: true,
};

test('norms of heads and outputs, biases, windows and caps make no tape larger, and recording one leaves nothing else behind', async () => {
  const buffers = new Buffers(context);
  const { weights: source } = randomModel(shape, 'F16');
  const weights = await uploadWeights(context, buffers, shape, source, {});
  const queue = new CommandQueue(context);
  const blocks = weights.blocks.reader(queue);
  const parts = { context, shape, buffers, queue, weights, blocks, choice: new KernelChoice(context.info, {}) };
  const all = { ...parts, forward: new Forward(parts), sweepBytes: 2 ** 20, inputBytes: 2 ** 20, logitBytes: 2 ** 20 };
  const tapes = new Tapes(all);
  const [batch] = makeBatches([[1, 2, 3, 4, 5, 6, 7, 8]], 8);
  const rows = 8;
  const input = await buffers.acquire(rows * shape.hidden * 4, 'hidden');
  await embedBatch(all, batch!, input);
  // The pool may give larger buffers than are asked for: what is asked for counts.
  const asked = new Map<GPUBuffer, number>();
  const take = buffers.acquire.bind(buffers);
  vi.spyOn(buffers, 'acquire').mockImplementation(async (bytes, label) => {
    const buffer = await take(bytes, label);
    asked.set(buffer, bytes);
    return buffer;
  });
  const sizes = shape.layers.map((layer) => tapeBytes(shape, layer, rows));
  for (const layer of [1, 2, 5, 6]) expect(sizes[layer]).toBe(sizes[0]);
  for (const [index, layer] of shape.layers.entries()) {
    const { attention, mlp } = await tapes.record(layer, input, { rows, seqLen: rows });
    const kept = [...Object.values(attention ?? {}), ...Object.values(mlp ?? {})];
    expect(kept.reduce((sum, buffer) => sum + asked.get(buffer)!, 0)).toBe(sizes[index]);
    tapes.release({ attention, mlp });
  }
  const before = buffers.use().liveBytes;
  for (const layer of shape.layers) tapes.release(await tapes.record(layer, input, { rows, seqLen: rows }));
  await queue.finish();
  expect(buffers.use().liveBytes).toBe(before);
  queue.dispose();
  buffers.dispose();
});
