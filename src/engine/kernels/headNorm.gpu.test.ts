/** @file The norm of queries and keys by heads, its way back, and the gradient of its weights. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { rmsnorm } from '../../numerics/rmsnorm';
import { rmsnormBackward } from '../../numerics/rmsnormBackward';
import '../allclose';
import type { GpuContext } from '../device';
import { openTestDevice, runKernel } from '../testing';
import { randomValues } from '../testWeights';
import { headNorm } from './headNorm';
import { headNormBackward } from './headNormBackward';
import { headNormGradient } from './headNormGradient';
import { summedSalience } from './rmsnormSalience';

let context: GpuContext;
beforeAll(async () => {
  context = await openTestDevice();
});
afterAll(() => context.device.destroy());

const eps = 1e-6;
const near = { rtol: 1e-4, atol: 3e-6 };

test.each([
  [1, 1, 1, 8],
  [7, 4, 2, 16],
  [33, 3, 1, 6],
  [5, 4, 4, 64],
  [3, 2, 1, 80],
])('%i rows of %i and %i heads of %i', async (rows, queryHeads, keyHeads, headDim) => {
  const heads = queryHeads + 2 * keyHeads;
  const normed = queryHeads + keyHeads;
  const width = heads * headDim;
  const weight = randomValues(2 * headDim, 1);
  const x = randomValues(rows * width, 2, 3);
  const dY = randomValues(rows * width, 3);
  const params = { rows, width, queryHeads, keyHeads, headDim, eps };

  // Heads as rows of their own, of queries and of keys apart.
  const roles = [
    { first: 0, count: queryHeads, weight: weight.subarray(0, headDim) },
    { first: queryHeads, count: keyHeads, weight: weight.subarray(headDim) },
  ];
  const y = Float64Array.from(x);
  const dX = Float64Array.from(dY);
  const dWeights: Float64Array[] = [];
  for (const role of roles) {
    const dWeight = new Float64Array(headDim);
    for (let row = 0; row < rows; row++) {
      const [begin, end] = [0, role.count].map((head) => row * width + (role.first + head) * headDim);
      y.set(rmsnorm(x.subarray(begin, end), role.weight, eps), begin);
      const back = new Float64Array(role.count * headDim);
      rmsnormBackward(dY.subarray(begin, end), x.subarray(begin, end), role.weight, eps, back, dWeight);
      dX.set(back, begin);
    }
    dWeights.push(dWeight);
  }
  expect(await runKernel(context, headNorm, { weight, x }, params, 'x')).toBeAllclose(y, near);
  const back = { weight, x, dY, dX: x.length, rstd: rows * normed };
  expect(await runKernel(context, headNormBackward, back, params, 'dX')).toBeAllclose(dX, near);

  const rstd = await runKernel(context, headNormBackward, back, params, 'rstd');
  for (const [index, { first, count }] of roles.entries()) {
    const place = { width, first: first * headDim, heads: count, headDim, rstdStride: normed, rstdFirst: first };
    const partRows = 4;
    const parts = Math.ceil(rows / partRows);
    const partials = await runKernel(
      context,
      headNormGradient,
      { x, dY, rstd, partials: parts * headDim },
      { rows, partRows, ...place },
      'partials',
    );
    const sums = await runKernel(
      context,
      summedSalience,
      { weight, x: partials, dY: 4, rstd: 4, carry: 4, sums: 2 * headDim },
      { rows: parts, hidden: headDim, weightFirst: index * headDim, sumFirst: 0, carryIn: 0, carryOut: 0 },
      'sums',
    );
    const expected = [...dWeights[index]!].flatMap((g, i) => [Math.abs(roles[index]!.weight[i]! * g), g * g]);
    expect(sums).toBeAllclose(expected, { rtol: 2e-4, atol: 1e-4 });
  }
});
