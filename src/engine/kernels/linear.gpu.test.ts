import { afterAll, describe, expect, test } from 'vitest';
import type { StoredDtype } from '../../model/weights';
import { linear as reference } from '../../numerics/linear';
import '../testing/allclose';
import type { GpuContext } from '../gpu/device';
import { openSubgroupDevice, runKernel, sharedTestDevice } from '../testing/harness';
import { randomValues, stored } from '../testing/testWeights';
import { linear } from './linear';
import { offeredTiles, type TileName } from './tile';

// Collected before the tests are named: a test says by its name what this adapter lacks.
const context: GpuContext = await sharedTestDevice();
const withSubgroups: GpuContext | null = await openSubgroupDevice();
afterAll(() => {
  withSubgroups?.device.destroy();
});

const sizes: [rows: number, inner: number, cols: number][] = [
  [1, 64, 64],
  [3, 64, 65],
  [7, 172, 511],
  [33, 8, 1],
];
/** Across the edges of a workgroup's 64 × 64 tile, its depth of 16, and the 512 columns of a subgroup tile's workgroup. */
const shared: [rows: number, inner: number, cols: number][] = [
  [1, 4, 1],
  [65, 20, 67],
  [9, 68, 519],
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
    ...[...shared, ...sizes].map((size) => ['workgroup', ...size] as const),
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

if (withSubgroups === null) {
  test('not on this adapter: the subgroup tile, which is then never offered', () => {
    expect(offeredTiles(context.info.features, 64)).not.toContain('subgroup');
  });
} else {
  const sizesByDtype = (['F32', 'F16', 'BF16'] as const).flatMap((dtype) =>
    [...shared, ...sizes].map((size) => [dtype, ...size] as const),
  );
  test.each(sizesByDtype)('tile subgroup, %s weights, %i × %i · %iᵀ', async (dtype, rows, inner, cols) => {
    expect(offeredTiles(withSubgroups.info.features, inner)).toContain('subgroup');
    const weight = stored(randomValues(cols * inner, 1), dtype);
    const x = randomValues(rows * inner, 2);
    const y = await runKernel(
      withSubgroups,
      linear(dtype, 'subgroup'),
      { weight: weight.bytes, x, y: rows * cols },
      { rows, inner, cols, xFirst: 0, yFirst: 0, accumulate: 0 },
      'y',
    );
    expect(y).toBeAllclose(reference(x, weight.values, inner), { rtol: 1e-5, atol: 1e-5 });
  });
}

const halves = context.info.features.includes('shader-f16');

test.runIf(!halves)('not on this adapter: products in f16, a tile that is then never offered', () => {
  expect(offeredTiles(context.info.features, 64, true)).not.toContain('f16');
});

// Where the adapter has no f16, the same code with f32 in its place shows that all but the rounding is right.
test.each(sizes)(
  `tile f16, ${halves ? 'in f16' : 'its code with f32 for f16'}, %i × %i · %iᵀ`,
  async (rows, inner, cols) => {
    const weight = randomValues(cols * inner, 1);
    const x = randomValues(rows * inner, 2);
    const kernel = linear('F32', 'f16');
    const code = kernel.code.replace('enable f16;\n', '').replaceAll('<f16>', '<f32>');
    const y = await runKernel(
      context,
      halves ? kernel : { ...kernel, code },
      { weight, x, y: rows * cols },
      { rows, inner, cols, xFirst: 0, yFirst: 0, accumulate: 0 },
      'y',
    );
    const tolerance = halves ? { rtol: 0, atol: 2 ** -10 * Math.sqrt(inner) } : { rtol: 1e-5, atol: 1e-5 };
    expect(y).toBeAllclose(reference(x, weight, inner), tolerance);
  },
);
