/** @file The two backward matmuls of a linear layer: the input's gradient, and what is taken of the weight's. */
import { describe, expect, test } from 'vitest';
import type { StoredDtype } from '../../model/weights';
import { linearBackward as reference } from '../../numerics/linearBackward';
import '../testing/allclose';
import type { GpuContext } from '../gpu/device';
import { runKernel, sharedTestDevice } from '../testing/harness';
import { randomValues, stored } from '../testing/testWeights';
import { type BackTileName, backTiles, offeredBackTiles } from './backTile';
import { linearInputGradient } from './linearInputGradient';
import { lineSalience, salienceLines, salienceTiles, weightSalience } from './weightSalience';

const context: GpuContext = await sharedTestDevice();

const tileNames = offeredBackTiles(true, context.info.largeTiles);

test.runIf(!context.info.largeTiles)('not on this adapter: the tile 16x16, which is then never offered', () => {
  expect(tileNames).not.toContain('16x16');
});

const all: [tile: BackTileName, dtype: StoredDtype, rows: number, inner: number, cols: number][] = [
  ['16x16', 'F32', 33, 172, 64],
  ['16x16', 'F16', 3, 8, 20],
  ['16x16', 'BF16', 18, 12, 4],
  ['16x8', 'F32', 33, 172, 64],
  ['16x8', 'F16', 3, 8, 20],
  ['16x8', 'BF16', 18, 12, 4],
  ['4x8', 'F32', 1, 64, 12],
  ['4x8', 'F16', 9, 20, 172],
  ['any', 'F32', 7, 9, 5],
  ['any', 'F16', 5, 65, 21],
  ['any', 'BF16', 1, 1, 1],
];
const cases = all.filter(([tile]) => tileNames.includes(tile));

/** The weight, and both gradients in float64. */
function expected(dtype: StoredDtype, rows: number, inner: number, cols: number) {
  const weight = stored(randomValues(cols * inner, 1), dtype);
  const x = randomValues(rows * inner, 2);
  const dY = randomValues(rows * cols, 3);
  const dX = new Float64Array(x.length);
  const dWeight = new Float64Array(cols * inner);
  reference(dY, x, weight.values, inner, dX, dWeight);
  return { weight, x, dY, dX, dWeight };
}

/** Σ|weight ⊙ g| and Σ g² over the weight rows first … first + count. */
function sums(weight: Float32Array, gradient: Float64Array, first: number, count: number, inner: number): number[] {
  let salience = 0;
  let squares = 0;
  for (let i = first * inner; i < (first + count) * inner; i++) {
    salience += Math.abs(weight[i]! * gradient[i]!);
    squares += gradient[i]! ** 2;
  }
  return [salience, squares];
}

/** Σ|weight ⊙ g| of each of so many rows from first, or of each column over them. */
function lineSums(
  by: 'rows' | 'columns',
  weight: Float32Array,
  gradient: Float64Array,
  first: number,
  count: number,
  inner: number,
): Float64Array {
  const out = new Float64Array(by === 'rows' ? count : inner);
  for (let i = 0; i < count * inner; i++) {
    const at = first * inner + i;
    out[by === 'rows' ? Math.floor(i / inner) : i % inner]! += Math.abs(weight[at]! * gradient[at]!);
  }
  return out;
}

/** Lines [count, length] added up. */
function addedLines(lines: Float32Array, length: number): Float64Array {
  const out = new Float64Array(length);
  for (const [index, value] of lines.entries()) out[index % length]! += value;
  return out;
}

const added = (pairs: Float32Array): number[] => [
  pairs.reduce((sum, value, i) => (i % 2 === 0 ? sum + value : sum), 0),
  pairs.reduce((sum, value, i) => (i % 2 === 1 ? sum + value : sum), 0),
];

describe.each(cases)('tile %s, %s weights, %i × %i · %i', (tile, dtype, rows, inner, cols) => {
  const { weight, x, dY, dX, dWeight } = expected(dtype, rows, inner, cols);

  test('gradient of the input', async () => {
    const out = await runKernel(
      context,
      linearInputGradient(dtype, tile),
      { weight: weight.bytes, dY, dX: x.length },
      { rows, first: 0, cols, stride: cols, weightFirst: 0, inner, accumulate: 0 },
      'dX',
    );
    expect(out).toBeAllclose(dX, { rtol: 1e-5, atol: 2e-5 });
  });

  test('sums over the gradient of the weight', async () => {
    const { tileRows, partials } = salienceTiles(tile, cols, inner);
    const out = await runKernel(
      context,
      weightSalience(dtype, tile),
      { weight: weight.bytes, x, dY, carry: 4, partials: 2 * partials },
      {
        rows,
        inner,
        cols,
        stride: cols,
        yFirst: 0,
        weightFirst: 0,
        tileFirst: 0,
        tiles: tileRows,
        carryIn: 0,
        carryOut: 0,
      },
      'partials',
    );
    expect(added(out)).toBeAllclose(sums(weight.values, dWeight, 0, cols, inner), { rtol: 1e-5, atol: 1e-6 });
  });

  test.each(['rows', 'columns'] as const)('sums over the gradient of the weight and of each of its %s', async (by) => {
    const { tileRows, partials } = salienceTiles(tile, cols, inner);
    const { count, length } = salienceLines(by, tile, cols, inner);
    const inputs = { weight: weight.bytes, x, dY, carry: 4, partials: 2 * partials, lines: count * length };
    const sizes = { rows, inner, cols, stride: cols, yFirst: 0, weightFirst: 0 };
    const params = { ...sizes, tileFirst: 0, tiles: tileRows, carryIn: 0, carryOut: 0 };
    const kernel = lineSalience[by](dtype, tile);
    const lines = await runKernel(context, kernel, inputs, params, 'lines');
    const expected = lineSums(by, weight.values, dWeight, 0, cols, inner);
    expect(addedLines(lines, length)).toBeAllclose(expected, { rtol: 1e-5, atol: 1e-5 });
    const pairs = await runKernel(context, kernel, inputs, params, 'partials');
    expect(added(pairs)).toBeAllclose(sums(weight.values, dWeight, 0, cols, inner), { rtol: 1e-5, atol: 1e-6 });
  });
});

test.each(tileNames)(
  'tile %s: the gradient of the input from a stretch of the weight, added to chosen rows',
  async (tile) => {
    // Weight rows 8 … 12 of 16; dY has five columns and is 0 up to a multiple of four.
    const [rows, inner, cols, stride] = [5, 12, 5, 8];
    const weight = randomValues(16 * inner, 1);
    const compact = randomValues(rows * cols, 2);
    const dY = new Float32Array(rows * stride);
    for (let row = 0; row < rows; row++) dY.set(compact.subarray(row * cols, (row + 1) * cols), row * stride);
    const before = randomValues(rows * inner, 3);
    const out = await runKernel(
      context,
      linearInputGradient('F32', tile),
      { weight, dY, dX: before },
      { rows: 3, first: 1, cols, stride, weightFirst: 8, inner, accumulate: 1 },
      'dX',
    );
    const dX = Float64Array.from(before);
    const part = weight.slice(8 * inner, 13 * inner);
    const x = new Float32Array(3 * inner);
    const rowsOf = dX.subarray(inner, 4 * inner);
    reference(compact.subarray(cols, 4 * cols), x, part, inner, rowsOf, new Float64Array(part.length));
    expect(out).toBeAllclose(dX, { rtol: 1e-5, atol: 1e-6 });
  },
);

test.each(tileNames)(
  'tile %s: a role within a matrix, in two launches, its gradient carried over two batches',
  async (tile) => {
    // The role is weight rows 12 … 39 and columns 12 … 39 of dY.
    const [rows, inner, all, first, cols] = [6, 12, 44, 12, 28];
    const { weight, x, dY, dWeight } = expected('F16', 2 * rows, inner, all);
    const { tileRows, partials } = salienceTiles(tile, cols, inner);
    const kernel = weightSalience('F16', tile);
    const role = { rows, inner, cols, stride: all, yFirst: first, weightFirst: first };
    const inputs = { weight: weight.bytes, carry: cols * inner, partials: 2 * partials };
    const batch = (index: number) => ({
      x: x.subarray(index * rows * inner, (index + 1) * rows * inner),
      dY: dY.subarray(index * rows * all, (index + 1) * rows * all),
    });
    const whole = { tileFirst: 0, tiles: tileRows };
    const carry = await runKernel(
      context,
      kernel,
      { ...inputs, ...batch(0) },
      { ...role, ...whole, carryIn: 0, carryOut: 1 },
      'carry',
    );
    let out: Float32Array | number = 2 * partials;
    for (const piece of [
      { tileFirst: 0, tiles: 1 },
      { tileFirst: 1, tiles: tileRows - 1 },
    ]) {
      const params = { ...role, ...piece, carryIn: 1, carryOut: 0 };
      out = await runKernel(context, kernel, { ...inputs, ...batch(1), carry, partials: out }, params, 'partials');
    }
    expect(tileRows).toBe(Math.ceil(cols / backTiles[tile].rows));
    expect(added(out as Float32Array)).toBeAllclose(sums(weight.values, dWeight, first, cols, inner), { rtol: 1e-5 });
  },
);

test.each(tileNames.flatMap((tile) => (['rows', 'columns'] as const).map((by) => [tile, by] as const)))(
  'tile %s: %s of a role within a matrix, in two launches, its gradient carried over two batches',
  async (tile, by) => {
    const [rows, inner, all, first, cols] = [6, 12, 44, 12, 28];
    const { weight, x, dY, dWeight } = expected('F16', 2 * rows, inner, all);
    const { tileRows, partials } = salienceTiles(tile, cols, inner);
    const { count, length } = salienceLines(by, tile, cols, inner);
    const kernel = lineSalience[by]('F16', tile);
    const role = { rows, inner, cols, stride: all, yFirst: first, weightFirst: first };
    const batch = (index: number) => ({
      weight: weight.bytes,
      x: x.subarray(index * rows * inner, (index + 1) * rows * inner),
      dY: dY.subarray(index * rows * all, (index + 1) * rows * all),
      partials: 2 * partials,
    });
    const gathering = { ...role, tileFirst: 0, tiles: tileRows, carryIn: 0, carryOut: 1 };
    // While the gradient gathers, partials and lines may be of any size.
    const small = { ...batch(0), carry: cols * inner, partials: 4, lines: 4 };
    const carry = await runKernel(context, kernel, small, gathering, 'carry');
    let out: Float32Array | number = count * length;
    for (const piece of [
      { tileFirst: 0, tiles: 1 },
      { tileFirst: 1, tiles: tileRows - 1 },
    ]) {
      const params = { ...role, ...piece, carryIn: 1, carryOut: 0 };
      out = await runKernel(context, kernel, { ...batch(1), carry, lines: out }, params, 'lines');
    }
    const lines = addedLines(out as Float32Array, length);
    expect(lines).toBeAllclose(lineSums(by, weight.values, dWeight, first, cols, inner), { rtol: 1e-5, atol: 1e-6 });
  },
);

test.each(tileNames)('tile %s: no rows leave what is carried, to be looked at', async (tile) => {
  const [inner, cols, weightFirst] = [12, 21, 8];
  const weight = stored(randomValues(32 * inner, 1), 'BF16');
  const carry = randomValues(cols * inner, 2);
  const { tileRows, partials } = salienceTiles(tile, cols, inner);
  const out = await runKernel(
    context,
    weightSalience('BF16', tile),
    { weight: weight.bytes, x: 4, dY: 4, carry, partials: 2 * partials },
    {
      rows: 0,
      inner,
      cols,
      stride: 24,
      yFirst: 0,
      weightFirst,
      tileFirst: 0,
      tiles: tileRows,
      carryIn: 1,
      carryOut: 0,
    },
    'partials',
  );
  const rows = weight.values.subarray(weightFirst * inner);
  expect(added(out)).toBeAllclose(sums(rows, Float64Array.from(carry), 0, cols, inner), { rtol: 1e-5 });
});
