import { beforeAll, expect, test } from 'vitest';
import { rmsnormBackward as reference } from '../../numerics/rmsnormBackward';
import '../testing/allclose';
import type { GpuContext } from '../gpu/device';
import { runKernel, sharedTestDevice } from '../testing/harness';
import { randomValues } from '../testing/testWeights';
import { rmsnormBackward } from './rmsnormBackward';
import { rmsnormSalience } from './rmsnormSalience';

let context: GpuContext;
beforeAll(async () => {
  context = await sharedTestDevice();
});

test.each([
  [1, 64, 0],
  [7, 896, 0],
  [3, 65, 0],
  [129, 1, 0],
  [6, 67, 1],
])(
  'gradients of rmsnorm of %i × %i with weights and %i; the salience counts the stored weights',
  async (rows, hidden, offset) => {
    const eps = 1e-5;
    const weight = randomValues(hidden, 1);
    const x = randomValues(rows * hidden, 2, 3);
    const dY = randomValues(rows * hidden, 3);
    const dX = new Float64Array(x.length);
    const dWeight = new Float64Array(hidden);
    reference(dY, x, weight, eps, dX, dWeight, offset);
    const kernel = rmsnormBackward(offset);

    const inputs = { weight, x, dY, dX: rows * hidden, rstd: rows };
    const params = { rows, hidden, eps };
    const out = await runKernel(context, kernel, inputs, { ...params, accumulate: 0 }, 'dX');
    expect(out).toBeAllclose(dX, { rtol: 1e-4, atol: 2e-6 });
    const before = randomValues(rows * hidden, 4);
    const more = await runKernel(context, kernel, { ...inputs, dX: before }, { ...params, accumulate: 1 }, 'dX');
    expect(more).toBeAllclose(
      dX.map((value, i) => value + before[i]!),
      { rtol: 1e-4, atol: 2e-6 },
    );

    const rstd = await runKernel(context, kernel, inputs, { ...params, accumulate: 0 }, 'rstd');
    const acquired = { weight, x, dY, rstd };
    const place = { rows, hidden, weightFirst: 0, sumFirst: 1 };
    const sums = await runKernel(
      context,
      rmsnormSalience,
      { ...acquired, carry: 4, sums: 2 * (hidden + 1) },
      { ...place, carryIn: 0, carryOut: 0 },
      'sums',
    );
    const pairs = [...dWeight].flatMap((value, i) => [Math.abs(weight[i]! * value), value ** 2]);
    expect(sums.slice(2)).toBeAllclose(pairs, { rtol: 1e-4, atol: 1e-5 });

    // The same rows once more, carried: twice the gradient.
    const carry = await runKernel(
      context,
      rmsnormSalience,
      { ...acquired, carry: hidden, sums: 2 },
      { ...place, carryIn: 0, carryOut: 1 },
      'carry',
    );
    expect(carry).toBeAllclose(dWeight, { rtol: 1e-4, atol: 1e-5 });
    const twice = await runKernel(
      context,
      rmsnormSalience,
      { ...acquired, carry, sums: 2 * (hidden + 1) },
      { ...place, carryIn: 1, carryOut: 0 },
      'sums',
    );
    expect(twice.slice(2)).toBeAllclose(
      pairs.map((value, i) => value * (i % 2 === 0 ? 2 : 4)),
      { rtol: 1e-4, atol: 4e-5 },
    );
  },
);
