/** @file The backward pass of an attention. */
import { attentionTasks, seenPairs, windowIn } from '../kernels/attention';
import { attentionBackward as kernels } from '../kernels/attentionBackward';
import { headNormBackward } from '../kernels/headNormBackward';
import { normGroups } from '../weights/blockLayout';
import type { AttentionWeights } from '../weights/gpuWeights';
import { type BlockStep, handOver, inputGradient, outputGradient } from './blockStep';
import { pieces, scoreCost, touch } from './parts';
import { project, projectBackward } from './projection';
import { copyOf, type Tape } from './tape';

/**
 * dHidden += the gradient through norm, queries, keys, values, attention, oProj and a norm of the output. `input` is the stream before
 * the attention. Overwrites the tape.
 */
export async function attentionBackward(
  step: BlockStep,
  weights: AttentionWeights,
  { x, qkv, mixed, lse }: NonNullable<Tape['attention']>,
  input: GPUBuffer,
): Promise<void> {
  const { dHidden, layer, lowRank, parts, sequences } = step;
  const { buffers, forward, shape } = parts;
  const { rows } = sequences;
  const { heads, kvHeads, headDim } = layer;
  const dOut = await outputGradient(step, 'postAttnNorm', weights.postNorm, (buffer) =>
    project(parts, weights.out, mixed, { buffer, first: 0, count: rows }),
  );
  await handOver(step, weights.out, [['oProj', shape.hidden]], { x: mixed, dY: dOut });
  const dMixed = await buffers.acquire(rows * weights.out.matrix.inner * 4, 'gradient of attention');
  await projectBackward(parts, weights.out, { dY: dOut, dX: dMixed }, rows, false, lowRank);
  if (dOut !== dHidden) buffers.release(dOut);

  const qkvBytes = rows * weights.qkv.matrix.rows * 4;
  let rotated = qkv;
  if (weights.headNorms !== null) {
    rotated = await copyOf(parts, qkv, qkvBytes);
    await forward.normalizeAndRotate(layer, weights, rotated, sequences);
  }
  let dQkv = await buffers.acquire(qkvBytes, 'gradient of qkv');
  await mixBackward(step, { qkv: rotated, y: mixed, lse, dY: dMixed, dQkv });
  buffers.release(dMixed);
  await forward.rotary.rotate(layer, dQkv, sequences, { direction: -1 });
  if (weights.headNorms !== null) {
    // Nothing reads the rotated projections any more: the gradient of those before the norms takes their buffer.
    await headNormsBackward(step, weights.headNorms, { x: qkv, dY: dQkv, dX: rotated });
    buffers.release(dQkv);
    dQkv = rotated;
  }

  const roles = [
    ['qProj', heads * headDim],
    ['kProj', kvHeads * headDim],
    ['vProj', kvHeads * headDim],
  ] as const;
  await handOver(step, weights.qkv, roles, { x, dY: dQkv });
  await inputGradient(step, weights.qkv, dQkv, { role: 'attnNorm', norm: weights.norm, input, x });
  buffers.release(dQkv);
}

/** dQkv from dY, the gradient of the attention y; queries first, because the keys' kernel reads the delta that the queries' kernel writes. */
async function mixBackward(
  { layer, parts, sequences: { rows, seqLen } }: BlockStep,
  bound: Record<'qkv' | 'y' | 'lse' | 'dY' | 'dQkv', GPUBuffer>,
): Promise<void> {
  const { heads, kvHeads, headDim, attnScale: scale = 1 / Math.sqrt(headDim), scoreSoftcap } = layer;
  const { buffers, queue } = parts;
  const sequences = rows / seqLen;
  const window = windowIn(layer, seqLen);
  const delta = await buffers.acquire(rows * heads * 4, 'attention delta');
  const sizes = { sequences, seqLen, heads, kvHeads, headDim, scale, window };
  const { query, key } = kernels(headDim, window < seqLen, scoreSoftcap);
  // As in the forward pass: four rows times those that they see, by two matmuls over headDim and one or two by 16 channels.
  const pairFlops = 4 * (seenPairs(seqLen, window) / seqLen + 4) * 2 * scoreCost;
  const queryFlops = pairFlops * (2 * headDim + 16);
  for (const { first, count } of pieces(parts, attentionTasks(sequences, seqLen, heads, headDim), queryFlops)) {
    await queue.launch(query, { ...bound, delta }, { ...sizes, taskFirst: first, tasks: count }, count * queryFlops);
  }
  const keyFlops = pairFlops * (2 * headDim + 32) * (heads / kvHeads);
  for (const { first, count } of pieces(parts, attentionTasks(sequences, seqLen, kvHeads, headDim), keyFlops)) {
    await queue.launch(key, { ...bound, delta }, { ...sizes, taskFirst: first, tasks: count }, count * keyFlops);
  }
  buffers.release(delta);
}

/** dX from dY, both [rows, qkv]: through the norms of queries and keys; values pass. The sink gets the norms' own gradients. */
async function headNormsBackward(
  { layer, parts, sequences: { rows }, sink }: BlockStep,
  weight: GPUBuffer,
  { x, dY, dX }: Record<'x' | 'dY' | 'dX', GPUBuffer>,
): Promise<void> {
  const { buffers, queue, shape } = parts;
  const { normEps: eps, normOffset } = shape;
  const width = (layer.heads + 2 * layer.kvHeads) * layer.headDim;
  const groups = normGroups(layer);
  const { queryHeads, keyHeads, queryDim, keyDim } = groups;
  const rstdStride = queryHeads + keyHeads;
  const rstd = await buffers.acquire(rows * rstdStride * 4, 'inverse root mean squares of heads');
  const params = { rows, width, ...groups, eps };
  await queue.launch(headNormBackward(normOffset), { weight, x, dY, dX, rstd }, params, rows * width * touch);
  const common = { weight, x, dY, width, rstd, rstdStride, rows };
  const queries = { weightFirst: 0, first: 0, heads: queryHeads, headDim: queryDim, rstdFirst: 0 };
  await sink.headNorm('qNorm', { ...common, ...queries });
  const keys = { weightFirst: queryDim, first: queryHeads * queryDim, heads: keyHeads, headDim: keyDim };
  await sink.headNorm('kNorm', { ...common, ...keys, rstdFirst: queryHeads });
  buffers.release(rstd);
}
