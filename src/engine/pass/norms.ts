/** @file The norms over `hidden`: before a sub-block, on its output, and before the head. */
import { addNormalized } from '../kernels/addNormalized';
import { rmsnorm } from '../kernels/rmsnorm';
import { type PassParts, type Rows, touch } from './parts';

type Parts = Pick<PassParts, 'buffers' | 'queue' | 'shape'>;

/** An acquired buffer [rows, hidden] with the normalized rows. */
export async function normalize({ buffers, queue, shape }: Parts, weight: GPUBuffer, rows: Rows): Promise<GPUBuffer> {
  const { hidden, normEps: eps, normOffset } = shape;
  const y = await buffers.acquire(rows.count * hidden * 4, 'normalized');
  const params = { rows: rows.count, hidden, eps, xFirst: rows.first };
  await queue.launch(rmsnorm(normOffset), { weight, x: rows.buffer, y }, params, rows.count * hidden * touch);
  return y;
}

/** An acquired buffer [rows, hidden] with the rows that a sub-block reads: the normalized rows, or a copy if it normalizes its output only. */
export async function inputOf(parts: Parts, norm: GPUBuffer | null, rows: Rows): Promise<GPUBuffer> {
  if (norm !== null) return normalize(parts, norm, rows);
  const { buffers, queue, shape } = parts;
  const rowBytes = shape.hidden * 4;
  const x = await buffers.acquire(rows.count * rowBytes, 'input of a sub-block');
  queue.copy(rows.buffer, rows.first * rowBytes, x, 0, rows.count * rowBytes);
  return x;
}

/** hidden += the output of `matmul`, normalized first if the sub-block has a norm on its output. */
export async function addOutput(
  { buffers, queue, shape }: Parts,
  weight: GPUBuffer | null,
  hidden: Rows,
  matmul: (y: Rows, accumulate: boolean) => Promise<void>,
): Promise<void> {
  if (weight === null) return matmul(hidden, true);
  const { hidden: width, normEps: eps, normOffset } = shape;
  const { buffer: y, first: yFirst, count: rows } = hidden;
  const x = await buffers.acquire(rows * width * 4, 'output before its norm');
  await matmul({ buffer: x, first: 0, count: rows }, false);
  const params = { rows, hidden: width, eps, yFirst };
  await queue.launch(addNormalized(normOffset), { weight, x, y }, params, rows * width * touch);
  buffers.release(x);
}
