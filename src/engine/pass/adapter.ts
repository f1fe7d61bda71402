/** @file What a projection's adapters add, in both directions, and the gradients of their factors. */
import {
  drop,
  dropoutParams,
  factorGradient,
  type LowRankTile,
  lowRankTile,
  narrow,
  narrowGradient,
  widen,
} from '../kernels/adapter';
import type { Adapter, AdapterFactors } from '../weights/adapters';
import type { WeightFactors } from './gradientSink';
import { LowRankRows } from './lowRankRows';
import { type PassParts, pieces, type Rows, touch } from './parts';

type Parts = Pick<PassParts, 'buffers' | 'context' | 'queue'>;

/** How a factor lies: element (k, r) of the wide index k and the rank r. */
const stepsOfA = ({ inner, rank }: AdapterFactors) => ({ wide: inner, rank, kStep: 1, rStep: inner });
const stepsOfB = ({ cols, rank }: AdapterFactors) => ({ wide: cols, rank, kStep: rank, rStep: 1 });

/** Every row of a longer side costs its multiplications and the way to its elements. */
export const rowFlops = (wide: number, rank: number): number => wide * (2 * rank + touch);

/** The columns of y that the adapter adds to (+)= scale · (drop(x) · Aᵀ) · Bᵀ, for y.count rows of x from its first on. */
export async function addAdapter(parts: Parts, adapter: Adapter, x: GPUBuffer, y: Rows, stride: number): Promise<void> {
  const dropped = await droppedInput(parts, adapter, x, y.count);
  const xa = await inputOfB(parts, adapter, dropped, y.count);
  if (dropped !== x) parts.buffers.release(dropped);
  const steps = stepsOfB(adapter);
  const place = { stride, first: adapter.first, scale: adapter.scale, ...steps, ...dropoutParams(null) };
  const flops = rowFlops(steps.wide, steps.rank);
  for (const { first, count: rows } of pieces(parts, y.count, flops)) {
    const params = { rows, xFirst: first, yFirst: y.first + first, ...place };
    await parts.queue.launch(widen, { weight: adapter.b, x: xa, y: y.buffer }, params, rows * flops);
  }
  parts.buffers.release(xa);
}

/** dX [rows, inner] += the gradient of x through the adapter, from dY [rows, stride]. */
export async function addAdapterBackward(
  parts: Parts,
  adapter: Adapter,
  { dY, dX }: Record<'dY' | 'dX', GPUBuffer>,
  rows: number,
  stride: number,
  known: LowRankRows | null = null,
): Promise<void> {
  const own = known ?? new LowRankRows(parts.buffers);
  const dXa = await own.of(adapter.b, () => outputOfA(parts, adapter, { dY, stride, yFirst: adapter.first, rows }));
  const steps = stepsOfA(adapter);
  const place = { stride: adapter.inner, first: 0, scale: adapter.scale, ...steps, ...dropoutParams(adapter.dropout) };
  const flops = rowFlops(steps.wide, steps.rank);
  for (const { first, count } of pieces(parts, rows, flops)) {
    const params = { rows: count, xFirst: first, yFirst: first, ...place };
    await parts.queue.launch(widen, { weight: adapter.a, x: dXa, y: dX }, params, count * flops);
  }
  if (known === null) own.release();
}

/** a [rank, inner] (+)= the gradient of A and b [cols, rank] (+)= that of B. */
export async function adapterGradients(
  parts: Parts,
  adapter: Omit<Adapter, 'first'>,
  factors: Pick<WeightFactors, 'x' | 'dY' | 'stride' | 'yFirst' | 'rows' | 'lowRank'>,
  { a, b }: Record<'a' | 'b', GPUBuffer>,
  accumulate: boolean,
): Promise<void> {
  const { dY, stride, yFirst, rows } = factors;
  const { inner, scale } = adapter;
  const gradient = async (
    bound: Record<'y' | 'x' | 'dY', GPUBuffer>,
    { wide, ...steps }: ReturnType<typeof stepsOfA>,
    place: { stride: number; first: number },
  ): Promise<void> => {
    const tile = tileFor(parts, [steps.rank, wide, place.stride, place.first]);
    const columnFlops = rows * (2 * steps.rank + touch);
    const common = { rows, accumulate: accumulate ? 1 : 0, scale, ...steps, ...place };
    for (const { first: kFirst, count: columns } of pieces(parts, wide, columnFlops, 16)) {
      await parts.queue.launch(factorGradient(tile), bound, { kFirst, columns, ...common }, columns * columnFlops);
    }
  };
  const known = factors.lowRank ?? new LowRankRows(parts.buffers);
  const dXa = await known.of(adapter.b, () => outputOfA(parts, adapter, factors));
  const x = await droppedInput(parts, adapter, factors.x, rows);
  await gradient({ y: a, x: dXa, dY: x }, stepsOfA(adapter), { stride: inner, first: 0 });
  if (factors.lowRank === undefined) known.release();
  const xa = await inputOfB(parts, adapter, x, rows);
  if (x !== factors.x) parts.buffers.release(x);
  await gradient({ y: b, x: xa, dY }, stepsOfB(adapter), { stride, first: yFirst });
  parts.buffers.release(xa);
}

/** values [rows, inner] += scale · B · A, for the rows of B from `first` on. */
export async function addProduct(
  { queue }: Pick<Parts, 'queue'>,
  { a, b, ...factors }: AdapterFactors,
  values: GPUBuffer,
  first: number,
  rows: number,
): Promise<void> {
  const { inner: stride, scale } = factors;
  const steps = stepsOfA({ a, b, ...factors });
  const flops = rowFlops(steps.wide, steps.rank);
  for (const piece of pieces({ queue }, rows, flops)) {
    const place = { rows: piece.count, xFirst: first + piece.first, yFirst: piece.first, stride, first: 0 };
    const params = { ...place, scale, ...steps, ...dropoutParams(null) };
    await queue.launch(widen, { weight: a, x: b, y: values }, params, piece.count * flops);
  }
}

const tileFor = ({ context }: Parts, sizes: readonly number[]): LowRankTile =>
  lowRankTile(sizes, context.info.largeTiles);

/** drop(x) [rows, inner]: an acquired buffer, or x itself where nothing is dropped. */
async function droppedInput(
  parts: Parts,
  { dropout, inner }: Pick<Adapter, 'dropout' | 'inner'>,
  x: GPUBuffer,
  rows: number,
): Promise<GPUBuffer> {
  if (dropout === null) return x;
  const y = await parts.buffers.acquire(rows * inner * 4, 'input with dropout');
  for (const { first, count } of pieces(parts, rows * inner, touch)) {
    await parts.queue.launch(drop, { x, y }, { first, count, ...dropoutParams(dropout) }, count * touch);
  }
  return y;
}

/** An acquired buffer [rows, rank]: x · Aᵀ, of rows that have had their dropout. */
async function inputOfB(
  parts: Parts,
  { a, inner, rank }: AdapterFactors,
  x: GPUBuffer,
  rows: number,
): Promise<GPUBuffer> {
  const y = await parts.buffers.acquire(rows * rank * 4, 'rows of low rank');
  const kernel = narrow(tileFor(parts, [inner]));
  const flops = rowFlops(inner, rank);
  for (const { first, count } of pieces(parts, rows, flops)) {
    await parts.queue.launch(kernel, { weight: a, x, y }, { rows: count, first, inner, rank }, count * flops);
  }
  return y;
}

/** An acquired buffer [rows, rank]: dY · B, which times the scale is the gradient of drop(x) · Aᵀ. */
async function outputOfA(
  parts: Parts,
  { b, cols, rank }: AdapterFactors,
  { dY, stride, yFirst: column, rows }: Pick<WeightFactors, 'dY' | 'stride' | 'yFirst' | 'rows'>,
): Promise<GPUBuffer> {
  const y = await parts.buffers.acquire(rows * rank * 4, 'rows of low rank');
  const kernel = narrowGradient(tileFor(parts, [rank, cols, stride, column]));
  const flops = rowFlops(cols, rank);
  for (const { first, count } of pieces(parts, rows, flops)) {
    const params = { rows: count, first, stride, column, cols, rank };
    await parts.queue.launch(kernel, { weight: b, dY, y }, params, count * flops);
  }
  return y;
}
