import { beforeAll, describe, expect, test } from 'vitest';
import type { StoredDtype } from '../../model/weights';
import { linear as reference } from '../../numerics/linear';
import '../allclose';
import type { GpuContext } from '../device';
import { openTestDevice, runKernel } from '../testing';
import { randomValues, stored } from '../testWeights';
import { linear } from './linear';
import type { TileName } from './tile';

let context: GpuContext;
beforeAll(async () => {
  context = await openTestDevice();
});

const sizes: [rows: number, inner: number, cols: number][] = [
  [1, 64, 64],
  [3, 64, 65],
  [7, 172, 511],
  [33, 8, 1],
];
const odd: [rows: number, inner: number, cols: number][] = [
  [1, 65, 64],
  [3, 7, 5],
  [9, 173, 66],
];

describe.each<StoredDtype>(['F32', 'F16', 'BF16'])('linear with %s weights', (dtype) => {
  const cases = (['16x8', '4x8'] as const).flatMap((tile) => sizes.map((size) => [tile, ...size] as const));
  test.each<readonly [TileName, number, number, number]>([
    ...cases,
    ...[...odd, ...sizes].map((size) => ['any', ...size] as const),
  ])('tile %s, %i × %i · %iᵀ', async (tile, rows, inner, cols) => {
    const weight = stored(randomValues(cols * inner, 1), dtype);
    const x = randomValues(rows * inner, 2);
    const y = await runKernel(
      context,
      linear(dtype, tile),
      { weight: weight.bytes, x, y: rows * cols },
      { rows, inner, cols, xFirst: 0, yFirst: 0, accumulate: 0 },
      'y',
    );
    expect(y).toBeAllclose(reference(x, weight.values, inner), { rtol: 1e-5, atol: 1e-5 });
  });
});

test('adds to chosen rows of y from chosen rows of x, and leaves the others alone', async () => {
  const [inner, cols] = [8, 5];
  const weight = randomValues(cols * inner, 1);
  const x = randomValues(6 * inner, 2);
  const y = randomValues(7 * cols, 3);
  const out = await runKernel(
    context,
    linear('F32', '4x8'),
    { weight, x, y },
    { rows: 2, inner, cols, xFirst: 3, yFirst: 4, accumulate: 1 },
    'y',
  );
  const product = reference(x.subarray(3 * inner, 5 * inner), weight, inner);
  expect(out).toBeAllclose(y.map((value, i) => value + (product[i - 4 * cols] ?? 0)));
});
