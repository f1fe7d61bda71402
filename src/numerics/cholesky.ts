/** @file Cholesky factors of symmetric positive definite matrices in float64, and the solutions of systems with them. */
import { throwIfAborted } from '../errors';
import { breathe, type TaskOptions } from '../task';

/** Rows that are computed together, so that a row of the factor is read from memory once for all of them. */
const blockRows = 16;

/** Σ a[aFrom + k] · b[bFrom + k] over k < count. */
export function dot(a: Float64Array, aFrom: number, b: Float64Array, bFrom: number, count: number): number {
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  let k = 0;
  for (; k + 4 <= count; k += 4) {
    s0 += a[aFrom + k]! * b[bFrom + k]!;
    s1 += a[aFrom + k + 1]! * b[bFrom + k + 1]!;
    s2 += a[aFrom + k + 2]! * b[bFrom + k + 2]!;
    s3 += a[aFrom + k + 3]! * b[bFrom + k + 3]!;
  }
  for (; k < count; k++) s0 += a[aFrom + k]! * b[bFrom + k]!;
  return s0 + s1 + (s2 + s3);
}

/** y[yFrom + k] += factor · x[xFrom + k] over k < count. */
export function addScaled(
  y: Float64Array,
  yFrom: number,
  factor: number,
  x: Float64Array,
  xFrom: number,
  count: number,
): void {
  for (let k = 0; k < count; k++) y[yFrom + k]! += factor * x[xFrom + k]!;
}

/**
 * Replaces the lower triangle of a symmetric positive definite A [n, n] by L with L Lᵀ = A. The upper triangle is not read.
 * @throws RangeError where A is not positive definite
 */
export async function factorize(a: Float64Array, n: number, { signal }: TaskOptions = {}): Promise<void> {
  for (let first = 0; first < n; first += blockRows) {
    const end = Math.min(n, first + blockRows);
    for (let j = 0; j < end; j++) {
      for (let i = Math.max(first, j); i < end; i++) {
        const rest = a[i * n + j]! - dot(a, i * n, a, j * n, j);
        if (i === j && !(rest > 0))
          throw new RangeError(`the matrix is not positive definite (row ${i} leaves ${rest})`);
        a[i * n + j] = i === j ? Math.sqrt(rest) : rest / a[j * n + j]!;
      }
    }
    await breathe();
    throwIfAborted(signal, 'Solving a system of equations');
  }
}

/** Replaces every row x of rows [count, n] by the solution y of L Lᵀ y = x. */
export async function solve(
  l: Float64Array,
  n: number,
  rows: Float64Array,
  { signal, onProgress }: TaskOptions = {},
): Promise<void> {
  const count = rows.length / n;
  for (let first = 0; first < count; first += blockRows) {
    const end = Math.min(count, first + blockRows);
    for (let i = 0; i < n; i++) {
      for (let row = first; row < end; row++) {
        const at = row * n;
        rows[at + i] = (rows[at + i]! - dot(l, i * n, rows, at, i)) / l[i * n + i]!;
      }
    }
    for (let i = n - 1; i >= 0; i--) {
      for (let row = first; row < end; row++) {
        const at = row * n;
        const value = rows[at + i]! / l[i * n + i]!;
        rows[at + i] = value;
        addScaled(rows, at, -value, l, i * n, i);
      }
    }
    await breathe();
    throwIfAborted(signal, 'Solving a system of equations');
    onProgress?.({ stage: 'equations', done: end, total: count, unit: 'rows' });
  }
}
