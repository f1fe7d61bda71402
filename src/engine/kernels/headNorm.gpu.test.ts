/** @file The norm of queries and keys by heads, its way back, and the gradient of its weights. */
import { beforeAll, expect, test } from 'vitest';
import { rmsnorm } from '../../numerics/rmsnorm';
import { rmsnormBackward } from '../../numerics/rmsnormBackward';
import '../testing/allclose';
import type { GpuContext } from '../gpu/device';
import { runKernel, sharedTestDevice } from '../testing/harness';
import { randomValues } from '../testing/testWeights';
import { headNorm } from './headNorm';
import { headNormBackward } from './headNormBackward';
import { headNormGradient } from './headNormGradient';
import { summedSalience } from './rmsnormSalience';

let context: GpuContext;
beforeAll(async () => {
  context = await sharedTestDevice();
});

const eps = 1e-6;
const near = { rtol: 1e-4, atol: 3e-6 };

test.each([
  [1, 1, 8, 1, 8, 0],
  [7, 4, 16, 2, 16, 0],
  [33, 3, 6, 1, 6, 0],
  [5, 4, 64, 4, 64, 0],
  [3, 2, 80, 1, 80, 1],
  // All heads of a token as one.
  [9, 1, 48, 1, 16, 0],
  [5, 1, 18, 1, 6, 1],
])(
  '%i rows of %i heads of %i and %i of %i, weights and %i',
  async (rows, queryHeads, queryDim, keyHeads, keyDim, offset) => {
    const normalized = queryHeads + keyHeads;
    const width = queryHeads * queryDim + 2 * keyHeads * keyDim;
    const weight = randomValues(queryDim + keyDim, 1);
    const x = randomValues(rows * width, 2, 3);
    const dY = randomValues(rows * width, 3);
    const params = { rows, width, queryHeads, keyHeads, queryDim, keyDim, eps };

    // Heads as rows of their own, of queries and of keys apart.
    const roles = [
      { first: 0, rstdFirst: 0, count: queryHeads, dim: queryDim, weight: weight.subarray(0, queryDim) },
      {
        first: queryHeads * queryDim,
        rstdFirst: queryHeads,
        count: keyHeads,
        dim: keyDim,
        weight: weight.subarray(queryDim),
      },
    ];
    const y = Float64Array.from(x);
    const dX = Float64Array.from(dY);
    const dWeights: Float64Array[] = [];
    for (const role of roles) {
      const dWeight = new Float64Array(role.dim);
      for (let row = 0; row < rows; row++) {
        const [begin, end] = [0, role.count].map((head) => row * width + role.first + head * role.dim);
        y.set(rmsnorm(x.subarray(begin, end), role.weight, eps, offset), begin);
        const back = new Float64Array(role.count * role.dim);
        rmsnormBackward(dY.subarray(begin, end), x.subarray(begin, end), role.weight, eps, back, dWeight, offset);
        dX.set(back, begin);
      }
      dWeights.push(dWeight);
    }
    expect(await runKernel(context, headNorm(offset), { weight, x }, params, 'x')).toBeAllclose(y, near);
    const back = { weight, x, dY, dX: x.length, rstd: rows * normalized };
    expect(await runKernel(context, headNormBackward(offset), back, params, 'dX')).toBeAllclose(dX, near);

    const rstd = await runKernel(context, headNormBackward(offset), back, params, 'rstd');
    for (const [index, { first, rstdFirst, count, dim: headDim }] of roles.entries()) {
      const place = { width, first, heads: count, headDim, rstdStride: normalized, rstdFirst };
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
        { rows: parts, hidden: headDim, weightFirst: index * queryDim, sumFirst: 0, carryIn: 0, carryOut: 0 },
        'sums',
      );
      const expected = [...dWeights[index]!].flatMap((g, i) => [Math.abs(roles[index]!.weight[i]! * g), g * g]);
      expect(sums).toBeAllclose(expected, { rtol: 2e-4, atol: 1e-4 });
    }
  },
);
