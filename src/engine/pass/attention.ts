/** @file The steps of an attention on the GPU, between its projections: norms of heads, and the weighted sums of values. */
import type { LayerShape } from '../../model/shape';
import { attention, attentionTasks, seenPairs, windowIn } from '../kernels/attention';
import { headNorm } from '../kernels/headNorm';
import { normGroups } from '../weights/blockLayout';
import type { AttentionWeights } from '../weights/gpuWeights';
import { addOutput } from './norms';
import { type PassParts, pieces, type Rows, type Sequences, scoreCost, touch } from './parts';
import { project } from './projection';

/** An acquired buffer [rows, (heads + 2·kvHeads)·headDim] with queries, keys and values of x. */
export async function projectQkv(
  parts: PassParts,
  { qkv: projection }: AttentionWeights,
  x: GPUBuffer,
  rows: number,
): Promise<GPUBuffer> {
  const qkv = await parts.buffers.acquire(rows * projection.matrix.rows * 4, 'qkv');
  await project(parts, projection, x, { buffer: qkv, first: 0, count: rows });
  return qkv;
}

/** Normalizes the queries and keys of qkv in place, if the layer does so. */
export async function normalizeHeads(
  { queue, shape }: PassParts,
  layer: LayerShape,
  { headNorms }: AttentionWeights,
  qkv: GPUBuffer,
  rows: number,
): Promise<void> {
  if (headNorms === null) return;
  const { normEps: eps, normOffset } = shape;
  const width = (layer.heads + 2 * layer.kvHeads) * layer.headDim;
  const params = { rows, width, ...normGroups(layer), eps };
  await queue.launch(headNorm(normOffset), { weight: headNorms, x: qkv }, params, rows * width * touch);
}

/** Acquired buffers: the attention [rows, heads·headDim] of each sequence of qkv, and its log-sum-exp [rows, heads]. */
export async function mix(
  parts: PassParts,
  layer: LayerShape,
  qkv: GPUBuffer,
  { rows, seqLen }: Sequences,
): Promise<Record<'mixed' | 'lse', GPUBuffer>> {
  const { heads, kvHeads, headDim, attnScale: scale = 1 / Math.sqrt(headDim), scoreSoftcap } = layer;
  const mixed = await parts.buffers.acquire(rows * heads * headDim * 4, 'attention');
  const lse = await parts.buffers.acquire(rows * heads * 4, 'attention log-sum-exp');
  const sequences = rows / seqLen;
  const window = windowIn(layer, seqLen);
  const kernel = attention(headDim, window < seqLen, scoreSoftcap);
  // A task: four rows times the keys that they see on average, scores over headDim and 16 channels of values.
  const taskFlops = 4 * (seenPairs(seqLen, window) / seqLen + 4) * 2 * (headDim + 16) * scoreCost;
  for (const { first, count } of pieces(parts, attentionTasks(sequences, seqLen, heads, headDim), taskFlops)) {
    const params = { sequences, seqLen, heads, kvHeads, headDim, scale, taskFirst: first, tasks: count, window };
    await parts.queue.launch(kernel, { qkv, y: mixed, lse }, params, count * taskFlops);
  }
  return { mixed, lse };
}

/** hidden += oProj(mixed), normalized first if the layer does so. */
export async function attentionOutput(
  parts: PassParts,
  { out, postNorm }: AttentionWeights,
  mixed: GPUBuffer,
  hidden: Rows,
): Promise<void> {
  await addOutput(parts, postNorm, hidden, (y, accumulate) => project(parts, out, mixed, y, accumulate));
}
