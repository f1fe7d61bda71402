import { expect, test } from 'vitest';
import { factorize, solve } from './cholesky';
import { createRandom } from './random';

/** A = G Gᵀ + I of random G [n, n + 3]. */
function positive(n: number): Float64Array {
  const random = createRandom(n);
  const g = Float64Array.from({ length: n * (n + 3) }, () => random() - 0.5);
  return Float64Array.from({ length: n * n }, (_, at) => {
    const [i, j] = [Math.floor(at / n), at % n];
    let sum = i === j ? 1 : 0;
    for (let k = 0; k < n + 3; k++) sum += g[i * (n + 3) + k]! * g[j * (n + 3) + k]!;
    return sum;
  });
}

test('a 2 × 2 system by hand', async () => {
  const a = Float64Array.of(4, Number.NaN, 2, 5);
  await factorize(a, 2);
  expect([a[0], a[2], a[3]]).toEqual([2, 1, 2]); // [2 0; 1 2]
  const rows = Float64Array.of(8, 9, 4, 2);
  await solve(a, 2, rows);
  // 4·1.375 + 2·1.25 = 8, 2·1.375 + 5·1.25 = 9; 4·1 + 2·0 = 4, 2·1 + 5·0 = 2
  expect([...rows]).toEqual([1.375, 1.25, 1, 0]);
});

test.each([1, 5, 16, 17, 43])('n = %i: A times the solution is the right side', async (n) => {
  const a = positive(n);
  const random = createRandom(n + 100);
  const right = Float64Array.from({ length: 19 * n }, () => random() - 0.5);
  const [factor, rows] = [a.slice(), right.slice()];
  await factorize(factor, n);
  await solve(factor, n, rows);
  const product = Float64Array.from({ length: 19 * n }, (_, at) => {
    const [row, i] = [Math.floor(at / n), at % n];
    let sum = 0;
    for (let k = 0; k < n; k++) sum += a[i * n + k]! * rows[row * n + k]!;
    return sum;
  });
  for (const [at, value] of product.entries()) expect(Math.abs(value - right[at]!)).toBeLessThan(1e-11);
});

test('a matrix that is not positive definite is refused, and a cancelled task stops', async () => {
  await expect(factorize(Float64Array.of(1, 2, 2, 1), 2)).rejects.toThrow(RangeError);
  await expect(factorize(Float64Array.of(1, 0, Number.NaN, 1), 2)).rejects.toThrow(RangeError);
  const signal = AbortSignal.abort();
  await expect(factorize(positive(5), 5, { signal })).rejects.toMatchObject({ code: 'aborted' });
  await expect(solve(Float64Array.of(1), 1, Float64Array.of(1), { signal })).rejects.toMatchObject({ code: 'aborted' });
});
