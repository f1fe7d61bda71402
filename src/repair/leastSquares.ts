/**
 * @file The linear map of ReplaceMe by least squares. With M [tokens, d] and the residual R = Z − Y [tokens, d], the published
 * T = argmin ‖M T − (M + R)‖² is I + D with D = argmin ‖M D − R‖² + α‖D‖². The ridge α pulls T towards the identity, that is towards
 * the MLP as it was, in the directions that the tokens do not show; where they show all, it changes nothing that counts.
 */
import { throwIfAborted } from '../errors';
import { addScaled, dot, factorize, solve } from '../numerics/cholesky';
import { breathe, type TaskOptions } from '../task';

/**
 * The ridge by the mean of the diagonal of MᵀM. With 0 and with 1e-8 the reference perplexities come out alike (to 5e-8); 1e-6 moves
 * them by 8e-7, 1e-4 by 9e-5.
 */
export const relativeRidge = 1e-8;

/** Columns of a matrix that are worked on together. */
const blockColumns = 256;
const blockRows = 16;

/** Multiplications of finding D and of applying it to a matrix [d, columns]. */
export function operationsOf(tokens: number, d: number, columns: number): number {
  const n = Math.min(tokens, d);
  const gram = tokens < d ? (tokens * tokens * d) / 2 : 1.5 * tokens * d * d;
  const apply = tokens < d ? 2 * tokens * d * columns : d * d * columns;
  return gram + n ** 3 / 6 + n * n * d + apply;
}

/** Bytes of the largest arrays that finding D takes, all of them together. */
export function bytesOf(tokens: number, d: number): number {
  return 8 * (2 * tokens * d + (tokens < d ? tokens * tokens + tokens * d : 2 * d * d));
}

/**
 * Dᵀ as a product: Dᵀ = left · right, with right absent where left is Dᵀ itself.
 *
 * Primal form: Dᵀ = RᵀM (MᵀM + αI)⁻¹ [d, d]. Dual form, where there are fewer tokens than channels: Dᵀ = Rᵀ (MMᵀ + αI)⁻¹ · M,
 * of [d, tokens] and [tokens, d].
 */
export interface Correction {
  readonly left: Float64Array;
  readonly right: Float64Array | null;
}

/**
 * @param m [tokens, d]
 * @param r [tokens, d]
 * @throws RangeError where M is zero
 */
export async function leastSquares(
  m: Float64Array,
  r: Float64Array,
  d: number,
  task: TaskOptions,
): Promise<Correction> {
  const tokens = m.length / d;
  const ridge = (relativeRidge * dotAll(m)) / d;
  if (tokens < d) {
    const gram = await products(m, m, tokens, d, task, true);
    for (let i = 0; i < tokens; i++) gram[i * tokens + i]! += ridge;
    await factorize(gram, tokens, task);
    const left = transposed(r, tokens, d);
    await solve(gram, tokens, left, task);
    return { left, right: m };
  }
  const [mt, rt] = [transposed(m, tokens, d), transposed(r, tokens, d)];
  const gram = await products(mt, mt, d, tokens, task, true);
  for (let i = 0; i < d; i++) gram[i * d + i]! += ridge;
  await factorize(gram, d, task);
  const left = await products(rt, mt, d, tokens, task);
  await solve(gram, d, left, task);
  return { left, right: null };
}

/** w [d, columns] + Dᵀ w, rounded to float32. */
export async function corrected(
  w: Float32Array,
  d: number,
  { left, right }: Correction,
  task: TaskOptions,
): Promise<Float32Array<ArrayBuffer>> {
  const columns = w.length / d;
  const out = new Float32Array(w.length);
  for (let first = 0; first < columns; first += blockColumns) {
    const width = Math.min(blockColumns, columns - first);
    const block = new Float64Array(d * width);
    for (let row = 0; row < d; row++) {
      for (let k = 0; k < width; k++) block[row * width + k] = w[row * columns + first + k]!;
    }
    const inner = right === null ? block : await product(right, block, d, width, task);
    const change = await product(left, inner, inner.length / width, width, task);
    for (let row = 0; row < d; row++) {
      for (let k = 0; k < width; k++) {
        out[row * columns + first + k] = block[row * width + k]! + change[row * width + k]!;
      }
    }
    task.onProgress?.({ stage: 'matrix', done: first + width, total: columns, unit: 'columns' });
  }
  return out;
}

/** a [rows, inner] · b [inner, columns]. */
async function product(
  a: Float64Array,
  b: Float64Array,
  inner: number,
  columns: number,
  { signal }: TaskOptions,
): Promise<Float64Array> {
  const rows = a.length / inner;
  const out = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let k = 0; k < inner; k++) addScaled(out, row * columns, a[row * inner + k]!, b, k * columns, columns);
    if (row % blockRows === 0) await breathe();
    throwIfAborted(signal, 'The repair');
  }
  return out;
}

/** a · bᵀ of a and b [n, inner]: [n, n]; the lower triangle only where `lower` says so. */
async function products(
  a: Float64Array,
  b: Float64Array,
  n: number,
  inner: number,
  { signal, onProgress }: TaskOptions,
  lower = false,
): Promise<Float64Array> {
  const out = new Float64Array(n * n);
  for (let first = 0; first < n; first += blockRows) {
    const end = Math.min(n, first + blockRows);
    for (let j = 0; j < (lower ? end : n); j++) {
      for (let i = first; i < end; i++) out[i * n + j] = dot(a, i * inner, b, j * inner, inner);
    }
    await breathe();
    throwIfAborted(signal, 'The repair');
    onProgress?.({ stage: 'products', done: end, total: n, unit: 'rows' });
  }
  return out;
}

/** The transpose [columns, rows] of a matrix [rows, columns]. */
function transposed(a: Float64Array, rows: number, columns: number): Float64Array {
  const out = new Float64Array(a.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) out[column * rows + row] = a[row * columns + column]!;
  }
  return out;
}

const dotAll = (a: Float64Array): number => dot(a, 0, a, 0, a.length);
