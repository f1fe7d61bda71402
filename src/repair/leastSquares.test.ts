import { expect, test } from 'vitest';
import { createRandom } from '../numerics/random';
import { corrected, leastSquares } from './leastSquares';

const random = createRandom(5);
const values = (count: number) => Float64Array.from({ length: count }, () => 2 * random() - 1);

/** a [rows, inner] · b [inner, columns] */
function times(a: Float64Array, b: ArrayLike<number>, rows: number, inner: number): Float64Array {
  const columns = b.length / inner;
  return Float64Array.from({ length: rows * columns }, (_, at) => {
    let sum = 0;
    for (let k = 0; k < inner; k++) sum += a[Math.floor(at / columns) * inner + k]! * b[k * columns + (at % columns)]!;
    return sum;
  });
}

test('a map that is there is found, and merged as its transpose', async () => {
  const [tokens, d, columns] = [40, 6, 9];
  const m = values(tokens * d);
  const map = values(d * d); // R = M · map
  const correction = await leastSquares(m, times(m, map, tokens, d), d, {});
  const w = Float32Array.from(values(d * columns));
  const transposed = Float64Array.from({ length: d * d }, (_, at) => map[(at % d) * d + Math.floor(at / d)]!);
  const expected = times(transposed, w, d, d).map((value, at) => value + w[at]!);
  const found = await corrected(w, d, correction, {});
  for (const [at, value] of found.entries()) expect(value).toBeCloseTo(expected[at]!, 5);
});

test('fewer tokens than channels: each token is met, and what the tokens do not show stays as it was', async () => {
  const [tokens, d] = [3, 8];
  const m = values(tokens * d);
  const r = values(tokens * d);
  const correction = await leastSquares(m, r, d, {});
  expect(correction.right).not.toBeNull();
  // With W = I the result is Tᵀ.
  const identity = Float32Array.from({ length: d * d }, (_, at) => (at % (d + 1) === 0 ? 1 : 0));
  const map = Float64Array.from(await corrected(identity, d, correction, {}));
  const transposed = map.map((_, at) => map[(at % d) * d + Math.floor(at / d)]!);
  const mapped = times(m, transposed, tokens, d);
  for (const [at, value] of mapped.entries()) expect(value).toBeCloseTo(m[at]! + r[at]!, 4);
  // A direction that is orthogonal to all tokens: Gram-Schmidt.
  const rest = values(d);
  const basis: Float64Array[] = [];
  for (const row of [0, 1, 2].map((token) => m.slice(token * d, (token + 1) * d)).concat(rest)) {
    for (const other of basis) {
      const along = row.reduce((sum, value, k) => sum + value * other[k]!, 0);
      for (let k = 0; k < d; k++) row[k]! -= along * other[k]!;
    }
    const norm = Math.hypot(...row);
    basis.push(row.map((value) => value / norm));
  }
  const unseen = basis.at(-1)!;
  const kept = times(unseen, transposed, 1, d);
  for (const [at, value] of kept.entries()) expect(value).toBeCloseTo(unseen[at]!, 5);
});

test('both forms agree where both are defined', async () => {
  // Padding with tokens of zeros changes no sum: 7 tokens of 9 channels, and the same with 5 more.
  const [tokens, d] = [7, 9];
  const [m, r] = [values(tokens * d), values(tokens * d)];
  const padded = (a: Float64Array) => Float64Array.from({ length: (tokens + 5) * d }, (_, at) => a[at] ?? 0);
  const w = Float32Array.from(values(d * 4));
  const dual = await corrected(w, d, await leastSquares(m, r, d, {}), {});
  const primal = await corrected(w, d, await leastSquares(padded(m), padded(r), d, {}), {});
  for (const [at, value] of primal.entries()) expect(value).toBeCloseTo(dual[at]!, 4);
});

test('an MLP that adds nothing has no map', async () => {
  await expect(leastSquares(new Float64Array(12), values(12), 3, {})).rejects.toThrow(RangeError);
});
