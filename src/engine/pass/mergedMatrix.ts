/**
 * @file A projection whose adapters are part of its matrix: y = x · (matrix + scale · B · A)ᵀ.
 *
 * The sum costs as much as a few rows of the matmul, and then the matmul of many rows is one launch, without the factors' own. A
 * dropout of the adapters' input rules it out: then factors and matrix read different rows.
 */
import { LabError } from '../../errors';
import type { StoredDtype } from '../../model/weights';
import { merge } from '../kernels/adapter';
import type { Adapter } from '../weights/adapters';
import type { MatrixLayout } from '../weights/blockLayout';
import type { Projection } from '../weights/gpuWeights';
import { rowFlops } from './adapter';
import { type PassParts, pieces } from './parts';

type Parts = Pick<PassParts, 'buffers' | 'context' | 'queue'>;

/** Memory that a merged matrix may take at most, bytes. */
const mostBytes = 2 ** 27;

/**
 * The projection as it multiplies `rows` rows: itself, or with an acquired float32 matrix in place of its own and its adapters. Hand it to
 * `releaseMerged` afterwards.
 * @param tileOf the tile for a matrix of a type. Where float32 has another one, the stored type's has been measured to be faster: then
 * nothing is merged.
 */
export async function withMerged(
  parts: Parts,
  projection: Projection,
  rows: number,
  tileOf: (dtype: StoredDtype) => string,
): Promise<Projection> {
  const { matrix, adapters = [] } = projection;
  if (adapters.some(({ dropout }) => dropout !== null) || !mergingPays(parts, matrix, adapters, rows))
    return projection;
  if (tileOf(matrix.dtype) !== tileOf('F32')) return projection;
  const buffer = await roomFor(parts, matrix);
  if (buffer === null) return projection;
  let next = 0;
  for (const adapter of [...adapters].sort((one, other) => one.first - other.first)) {
    if (adapter.first > next)
      await mergeRows(parts, projection, buffer, { first: next, end: adapter.first }, adapter, 0);
    next = adapter.first + adapter.cols;
    await mergeRows(parts, projection, buffer, { first: adapter.first, end: next }, adapter, adapter.rank);
  }
  const any = adapters[0]!;
  if (next < matrix.rows) await mergeRows(parts, projection, buffer, { first: next, end: matrix.rows }, any, 0);
  return { matrix: { ...matrix, dtype: 'F32', buffer }, bias: projection.bias };
}

/** An acquired buffer for the float32 matrix; null where GPU memory has no room: the factors' own launches need none. */
async function roomFor({ buffers }: Parts, { rows, inner }: MatrixLayout): Promise<GPUBuffer | null> {
  try {
    return await buffers.acquire(rows * inner * 4, 'matrix with its factors');
  } catch (thrown) {
    if (thrown instanceof LabError && thrown.code === 'out-of-memory') return null;
    throw thrown;
  }
}

/** Returns the buffer of a merged matrix to the pool. */
export function releaseMerged({ buffers }: Pick<Parts, 'buffers'>, projection: Projection, used: Projection): void {
  if (used !== projection) buffers.release(used.matrix.buffer);
}

/** Whether the sum costs less than what the factors add to so many rows, and has room. */
export function mergingPays(
  { context }: Pick<Parts, 'context'>,
  { inner, rows: cols }: Pick<MatrixLayout, 'inner' | 'rows'>,
  adapters: readonly Pick<Adapter, 'cols' | 'rank'>[],
  rows: number,
): boolean {
  if (4 * inner * cols > Math.min(mostBytes, context.device.limits.maxStorageBufferBindingSize)) return false;
  const apart = adapters.reduce((sum, { cols: own, rank }) => sum + rowFlops(inner, rank) + rowFlops(own, rank), 0);
  const rank = Math.max(0, ...adapters.map((adapter) => adapter.rank));
  return rows * apart > cols * rowFlops(inner, rank);
}

/** y [rows, inner]: the rows first … end of the matrix plus the product of the adapter's factors, or a copy of them with rank 0. */
async function mergeRows(
  parts: Parts,
  { matrix }: Projection,
  y: GPUBuffer,
  { first, end }: { readonly first: number; readonly end: number },
  { a, b, scale }: Adapter,
  rank: number,
): Promise<void> {
  const { buffer: weight, dtype, inner } = matrix;
  const flops = rowFlops(inner, rank);
  for (const piece of pieces(parts, end - first, flops)) {
    const params = { first: first + piece.first, rows: piece.count, inner, bFirst: piece.first, rank, scale };
    await parts.queue.launch(merge(dtype), { weight, a, b, y }, params, piece.count * flops);
  }
}
