/**
 * @file A linear layer in both directions: y = x · matrixᵀ + bias, with what adapters add, and the gradient of x.
 *
 * Attention, MLP and decoder multiply with a block's weights through these functions only. Projections that read the same
 * input share a matrix, so one launch multiplies them all; each run of columns with a bias then takes one more launch. Adapters of few
 * rows take two launches each; for many rows they are added to the matrix first (`mergedMatrix.ts`).
 */
import type { Kernel } from '../gpu/kernel';
import { bias as biasKernel } from '../kernels/bias';
import type { KernelChoice } from '../kernels/kernelChoice';
import { linear } from '../kernels/linear';
import { linearInputGradient } from '../kernels/linearInputGradient';
import { linearRow } from '../kernels/linearRow';
import type { MatrixLayout } from '../weights/blockLayout';
import type { GpuBias, GpuMatrix, Projection } from '../weights/gpuWeights';
import { addAdapter, addAdapterBackward } from './adapter';
import type { LowRankRows } from './lowRankRows';
import { releaseMerged, withMerged } from './mergedMatrix';
import { type PassParts, pieces, type Rows, touch } from './parts';

type Parts = Pick<PassParts, 'buffers' | 'choice' | 'context' | 'queue'>;

/** Whether matmuls of so many rows run in the kernels for one row; a forced tile takes them all. */
export function inOneRow({ choice }: Pick<PassParts, 'choice'>, rows: number): boolean {
  return rows === 1 && choice.forced === undefined;
}

/** y (+)= x · matrixᵀ + bias, with what adapters add, for y.count rows of x from its first on. */
export async function project(
  parts: Parts,
  projection: Projection,
  x: GPUBuffer,
  y: Rows,
  accumulate = false,
): Promise<void> {
  const { inner, rows: cols } = projection.matrix;
  const sizes = { rows: y.count, inner, cols };
  const used = await withMerged(parts, projection, y.count, (dtype) =>
    parts.choice.tile('linear', { dtype, ...sizes }),
  );
  const { matrix, bias, adapters = [] } = used;
  await multiply(parts, matrix, x, y, accumulate);
  if (bias !== null) await addBias(parts, bias, y, matrix.rows);
  for (const adapter of adapters) await addAdapter(parts, adapter, x, y, matrix.rows);
  releaseMerged(parts, projection, used);
}

/** y (+)= x · matrixᵀ */
async function multiply(parts: Parts, matrix: GpuMatrix, x: GPUBuffer, y: Rows, accumulate: boolean): Promise<void> {
  const { choice, context, queue } = parts;
  const { buffer: weight, dtype, rows: cols, inner } = matrix;
  const bound = { weight, x, y: y.buffer };
  const adding = accumulate ? 1 : 0;
  if (inOneRow(parts, y.count)) {
    const params = { inner, cols, xFirst: 0, yFirst: y.first, accumulate: adding };
    await queue.launch(linearRow(dtype, inner, context.info.software), bound, params, 2 * inner * cols);
    return;
  }
  for (const { first, count: rows } of pieces(parts, y.count, 2 * inner * cols)) {
    const kernel = linear(dtype, choice.tile('linear', { dtype, rows, inner, cols }));
    const params = { rows, inner, cols, xFirst: first, yFirst: y.first + first, accumulate: adding };
    await queue.launch(kernel, bound, params, 2 * rows * inner * cols);
  }
}

/** Adds biases to the columns of rows of `stride` columns that have one. */
async function addBias(
  { queue }: Parts,
  { buffer: bias, runs }: GpuBias,
  { buffer: y, first: rowFirst, count: rows }: Rows,
  stride: number,
): Promise<void> {
  for (const { first: yFirst, count: cols, biasFirst } of runs) {
    const params = { rows, cols, stride, rowFirst, yFirst, biasFirst };
    await queue.launch(biasKernel, { bias, y }, params, rows * cols * touch);
  }
}

/** dX [rows, inner] (+)= dY [rows, matrix.rows] · matrix, and through the adapters: the gradient of the input. A bias does not change it. */
export async function projectBackward(
  parts: Parts,
  projection: Projection,
  { dY, dX }: Record<'dY' | 'dX', GPUBuffer>,
  rows: number,
  accumulate = false,
  lowRank: LowRankRows | null = null,
): Promise<void> {
  const { choice, queue } = parts;
  const { inner, rows: cols } = projection.matrix;
  const used = await withMerged(parts, projection, rows, (type) =>
    choice.backTile('linearInputGradient', { dtype: type, rows, inner, cols }, [inner, cols]),
  );
  const { buffer: weight, dtype } = used.matrix;
  const flops = 2 * inner * cols;
  for (const { first, count } of pieces(parts, rows, flops)) {
    const tile = choice.backTile('linearInputGradient', { dtype, rows: count, inner, cols }, [inner, cols]);
    const params = { rows: count, first, cols, stride: cols, weightFirst: 0, inner, accumulate: accumulate ? 1 : 0 };
    await queue.launch(linearInputGradient(dtype, tile), { weight, dY, dX }, params, count * flops);
  }
  for (const adapter of used.adapters ?? []) {
    await addAdapterBackward(parts, adapter, { dY, dX }, rows, cols, lowRank);
  }
  releaseMerged(parts, projection, used);
}

/** Every kernel that may multiply with this matrix, to be compiled ahead. */
export function* projectionKernels(
  choice: KernelChoice,
  { dtype, inner, rows: cols }: MatrixLayout,
): Generator<Kernel> {
  for (const tile of choice.tiles('linear', { dtype, inner, cols })) yield linear(dtype, tile);
}

/** Every kernel that may compute the gradient of this matrix's input, to be compiled ahead. */
export function* projectionBackwardKernels(
  choice: KernelChoice,
  { dtype, inner, rows: cols }: MatrixLayout,
): Generator<Kernel> {
  for (const tile of choice.backTiles('linearInputGradient', { dtype, inner, cols }, [inner, cols])) {
    yield linearInputGradient(dtype, tile);
  }
}
