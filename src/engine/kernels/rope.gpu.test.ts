import { beforeAll, expect, test } from 'vitest';
import { rope as reference, ropeTable } from '../../numerics/rope';
import '../testing/allclose';
import type { GpuContext } from '../gpu/device';
import { runKernel, sharedTestDevice } from '../testing/harness';
import { randomValues } from '../testing/testWeights';
import { rope } from './rope';

let context: GpuContext;
beforeAll(async () => {
  context = await sharedTestDevice();
});

test.each([
  [1, 1, 8, 8],
  [2, 5, 3, 24],
  [1, 130, 2, 6],
])(
  '%i sequences of %i turn %i heads of %i, and what lies behind the heads stays',
  async (sequences, seqLen, heads, headDim) => {
    const width = heads * headDim + 3;
    const rows = sequences * seqLen;
    const qkv = randomValues(rows * width, 1);
    const table = Float32Array.from(ropeTable(seqLen + 1, headDim, 10000));
    const params = { rows, seqLen, heads, headDim, width, first: 0 };
    const out = await runKernel(context, rope, { table, qkv }, { ...params, direction: 1 }, 'qkv');
    const expected = Float64Array.from(qkv);
    for (let sequence = 0; sequence < sequences; sequence++) {
      const heading = Float64Array.from({ length: seqLen * heads * headDim }, (_, i) => {
        const row = sequence * seqLen + Math.floor(i / (heads * headDim));
        return qkv[row * width + (i % (heads * headDim))]!;
      });
      reference(heading, heads, headDim, { theta: 10000 }).forEach((value, i) => {
        const row = sequence * seqLen + Math.floor(i / (heads * headDim));
        expected[row * width + (i % (heads * headDim))] = value;
      });
    }
    expect(out).toBeAllclose(expected, { rtol: 1e-6, atol: 1e-6 });
    const back = await runKernel(context, rope, { table, qkv: out }, { ...params, direction: -1 }, 'qkv');
    expect(back).toBeAllclose(qkv, { rtol: 1e-6, atol: 1e-6 });
  },
);

test('rows behind others turn as in the whole sequence', async () => {
  const [rows, first, heads, headDim] = [3, 6, 2, 6];
  const width = heads * headDim;
  const all = randomValues((first + rows) * width, 3);
  const table = Float32Array.from(ropeTable(first + rows, headDim, 10000));
  const params = { rows, seqLen: rows, heads, headDim, width, direction: 1, first };
  const out = await runKernel(context, rope, { table, qkv: all.slice(first * width) }, params, 'qkv');
  const expected = reference(Float64Array.from(all), heads, headDim, { theta: 10000 }).slice(first * width);
  expect(out).toBeAllclose(expected, { rtol: 1e-6, atol: 1e-6 });
});
