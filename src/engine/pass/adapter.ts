/** @file What a projection's adapters add, in both directions, and the gradients of their factors. */
import { dropoutParams, factorGradient, narrow, widen } from '../kernels/adapter';
import type { Adapter, AdapterFactors } from '../weights/adapters';
import type { WeightFactors } from './gradientSink';
import { LowRankRows } from './lowRankRows';
import { type PassParts, pieces, type Rows, touch } from './parts';

type Parts = Pick<PassParts, 'buffers' | 'queue'>;

/** How a factor lies: element (k, r) of the wide index k and the rank r. */
const stepsOfA = ({ inner, rank }: AdapterFactors) => ({ wide: inner, rank, kStep: 1, rStep: inner });
const stepsOfB = ({ cols, rank }: AdapterFactors) => ({ wide: cols, rank, kStep: rank, rStep: 1 });

/** Every row of a longer side costs its multiplications and the way to its elements. */
const rowFlops = ({ wide, rank }: { wide: number; rank: number }): number => wide * (2 * rank + touch);

/** The columns of y that the adapter adds to (+)= scale · (drop(x) · Aᵀ) · Bᵀ, for y.count rows of x from its first on. */
export async function addAdapter(parts: Parts, adapter: Adapter, x: GPUBuffer, y: Rows, stride: number): Promise<void> {
  const xa = await inputOfB(parts, adapter, x, y.count);
  const steps = stepsOfB(adapter);
  const place = { stride, first: adapter.first, scale: adapter.scale, ...steps, ...dropoutParams(null) };
  for (const { first, count: rows } of pieces(parts, y.count, rowFlops(steps))) {
    const params = { rows, xFirst: first, yFirst: y.first + first, ...place };
    await parts.queue.launch(widen, { weight: adapter.b, x: xa, y: y.buffer }, params, rows * rowFlops(steps));
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
  const place = { stride: adapter.inner, first: 0, scale: 1, ...steps, ...dropoutParams(adapter.dropout) };
  for (const { first, count } of pieces(parts, rows, rowFlops(steps))) {
    const params = { rows: count, xFirst: first, yFirst: first, ...place };
    await parts.queue.launch(widen, { weight: adapter.a, x: dXa, y: dX }, params, count * rowFlops(steps));
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
  const { x, dY, stride, yFirst, rows } = factors;
  const { dropout, inner, scale } = adapter;
  const adding = accumulate ? 1 : 0;
  const gradient = async (
    bound: Record<'narrow' | 'x' | 'y', GPUBuffer>,
    steps: ReturnType<typeof stepsOfA>,
    place: { stride: number; first: number; scale: number },
    drop: Adapter['dropout'],
  ): Promise<void> => {
    const columnFlops = rows * (2 * steps.rank + touch);
    for (const { first: kFirst, count: columns } of pieces(parts, steps.wide, columnFlops, 16)) {
      const params = { rows, kFirst, columns, accumulate: adding, ...steps, ...place, ...dropoutParams(drop) };
      await parts.queue.launch(factorGradient, bound, params, columns * columnFlops);
    }
  };
  const known = factors.lowRank ?? new LowRankRows(parts.buffers);
  const dXa = await known.of(adapter.b, () => outputOfA(parts, adapter, factors));
  await gradient({ narrow: dXa, x, y: a }, stepsOfA(adapter), { stride: inner, first: 0, scale: 1 }, dropout);
  if (factors.lowRank === undefined) known.release();
  const xa = await inputOfB(parts, adapter, x, rows);
  await gradient({ narrow: xa, x: dY, y: b }, stepsOfB(adapter), { stride, first: yFirst, scale }, null);
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
  for (const piece of pieces({ queue }, rows, rowFlops(steps))) {
    const place = { rows: piece.count, xFirst: first + piece.first, yFirst: piece.first, stride, first: 0 };
    const params = { ...place, scale, ...steps, ...dropoutParams(null) };
    await queue.launch(widen, { weight: a, x: b, y: values }, params, piece.count * rowFlops(steps));
  }
}

/** An acquired buffer [rows, rank]: drop(x) · Aᵀ. */
function inputOfB(parts: Parts, adapter: Omit<Adapter, 'first'>, x: GPUBuffer, rows: number): Promise<GPUBuffer> {
  const place = { stride: adapter.inner, first: 0, scale: 1, ...stepsOfA(adapter), ...dropoutParams(adapter.dropout) };
  return narrowed(parts, { weight: adapter.a, x }, rows, place);
}

/** An acquired buffer [rows, rank]: the gradient of drop(x) · Aᵀ, scale · dY · B. */
function outputOfA(
  parts: Parts,
  adapter: Omit<Adapter, 'first'>,
  { dY, stride, yFirst, rows }: Pick<WeightFactors, 'dY' | 'stride' | 'yFirst' | 'rows'>,
): Promise<GPUBuffer> {
  const place = { stride, first: yFirst, scale: adapter.scale, ...stepsOfB(adapter), ...dropoutParams(null) };
  return narrowed(parts, { weight: adapter.b, x: dY }, rows, place);
}

type NarrowPlace = Omit<Parameters<typeof narrow.workgroups>[0], 'rows' | 'xFirst'>;

async function narrowed(
  parts: Parts,
  bound: Record<'weight' | 'x', GPUBuffer>,
  rows: number,
  place: NarrowPlace,
): Promise<GPUBuffer> {
  const y = await parts.buffers.acquire(rows * place.rank * 4, 'rows of low rank');
  for (const { first, count } of pieces(parts, rows, rowFlops(place))) {
    const params = { rows: count, xFirst: first, ...place };
    await parts.queue.launch(narrow, { ...bound, y }, params, count * rowFlops(place));
  }
  return y;
}
