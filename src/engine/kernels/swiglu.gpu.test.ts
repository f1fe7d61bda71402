import { beforeAll, describe, expect, test } from 'vitest';
import type { StoredDtype } from '../../model/weights';
import { geglu as gelu } from '../../numerics/geglu';
import { linear } from '../../numerics/linear';
import { swiglu as silu } from '../../numerics/swiglu';
import '../testing/allclose';
import type { GpuContext } from '../gpu/device';
import { inEveryRun, runKernel, sharedTestDevice } from '../testing/harness';
import { randomValues, stored } from '../testing/testWeights';
import { geglu, swiglu } from './swiglu';
import type { TileName } from './tile';

let context: GpuContext;
beforeAll(async () => {
  context = await sharedTestDevice();
});

const silus: StoredDtype[] = ['F32', 'F16', 'BF16'];

describe.each([
  ...silus.map((dtype) => ['swiglu', dtype, swiglu, silu] as const),
  ['geglu', 'BF16', geglu, gelu] as const,
])('%s with %s weights', (_name, dtype, kernel, reference) => {
  const cases: [TileName, number, number, number][] = [
    ['16x8', 1, 64, 172],
    ['16x8', 19, 64, 33],
    ['4x8', 7, 172, 9],
    ['workgroup', 1, 4, 1],
    ['workgroup', 67, 68, 35],
    ['any', 3, 65, 7],
    ['any', 6, 64, 33],
  ];
  test.each(cases.filter(([tile]) => inEveryRun(dtype, tile)))(
    'tile %s, %i rows, inner %i, ffn %i',
    async (tile, rows, inner, ffn) => {
      const weight = stored(randomValues(2 * ffn * inner, 1), dtype);
      const x = randomValues(rows * inner, 2, 2);
      const y = await runKernel(
        context,
        kernel(dtype, tile),
        { weight: weight.bytes, x, y: rows * ffn },
        { rows, inner, ffn, xFirst: 0, yFirst: 0 },
        'y',
      );
      const gate = linear(x, weight.values.subarray(0, ffn * inner), inner);
      const up = linear(x, weight.values.subarray(ffn * inner), inner);
      expect(y).toBeAllclose(reference(gate, up), { rtol: 2e-5, atol: 2e-5 });
    },
  );
});

test.each([swiglu, geglu])('gates far from zero neither overflow nor become NaN', async (kernel) => {
  const weight = new Float32Array(8).fill(1);
  const x = Float32Array.of(-1000, 0, 0, 0, 1000, 0, 0, 0);
  const y = await runKernel(
    context,
    kernel('F32', '4x8'),
    { weight, x, y: 2 },
    { rows: 2, inner: 4, ffn: 1, xFirst: 0, yFirst: 0 },
    'y',
  );
  expect(y).toBeAllclose([0, 1e6]);
});
