import { beforeAll, expect, test } from 'vitest';
import { firstKey, attention as reference } from '../../numerics/attention';
import { logSumExp } from '../../numerics/crossEntropy';
import { softcap } from '../../numerics/softcap';
import '../testing/allclose';
import type { GpuContext } from '../gpu/device';
import { runKernel, sharedTestDevice } from '../testing/harness';
import { randomValues } from '../testing/testWeights';
import { attention, attentionTasks, windowIn } from './attention';

let context: GpuContext;
beforeAll(async () => {
  context = await sharedTestDevice();
});

interface Case {
  sequences: number;
  seqLen: number;
  heads: number;
  kvHeads: number;
  headDim: number;
  scale?: number;
  window?: number;
  /** Of scores, and what they are multiplied by. */
  scoreSoftcap?: number;
  attnScale?: number;
}

/** Columns first … first + count of each row of a matrix. */
function columns(matrix: Float32Array, width: number, first: number, count: number): Float32Array {
  return Float32Array.from({ length: (matrix.length / width) * count }, (_, i) => {
    return matrix[Math.floor(i / count) * width + first + (i % count)]!;
  });
}

test.each<Case>([
  { sequences: 1, seqLen: 1, heads: 1, kvHeads: 1, headDim: 8 },
  { sequences: 3, seqLen: 7, heads: 4, kvHeads: 2, headDim: 8 },
  { sequences: 2, seqLen: 33, heads: 3, kvHeads: 1, headDim: 16 },
  { sequences: 2, seqLen: 10, heads: 2, kvHeads: 2, headDim: 24 },
  { sequences: 1, seqLen: 19, heads: 2, kvHeads: 1, headDim: 48 },
  { sequences: 1, seqLen: 6, heads: 4, kvHeads: 2, headDim: 64 },
  { sequences: 1, seqLen: 9, heads: 2, kvHeads: 1, headDim: 128 },
  { sequences: 2, seqLen: 5, heads: 2, kvHeads: 1, headDim: 6 },
  { sequences: 1, seqLen: 12, heads: 2, kvHeads: 1, headDim: 18 },
  { sequences: 1, seqLen: 40, heads: 2, kvHeads: 1, headDim: 16, scale: 30 },
  { sequences: 2, seqLen: 13, heads: 2, kvHeads: 2, headDim: 8, window: 1 },
  { sequences: 3, seqLen: 17, heads: 4, kvHeads: 2, headDim: 8, window: 3 },
  { sequences: 2, seqLen: 33, heads: 3, kvHeads: 1, headDim: 16, window: 7 },
  { sequences: 1, seqLen: 40, heads: 2, kvHeads: 1, headDim: 16, scale: 30, window: 5 },
  { sequences: 1, seqLen: 23, heads: 4, kvHeads: 2, headDim: 64, window: 8 },
  { sequences: 1, seqLen: 18, heads: 2, kvHeads: 1, headDim: 80, window: 12 },
  { sequences: 1, seqLen: 12, heads: 2, kvHeads: 1, headDim: 18, window: 6 },
  { sequences: 2, seqLen: 10, heads: 4, kvHeads: 1, headDim: 24, window: 9 },
  { sequences: 2, seqLen: 9, heads: 2, kvHeads: 1, headDim: 8, window: 9 },
  { sequences: 2, seqLen: 9, heads: 2, kvHeads: 1, headDim: 8, window: 50 },
  { sequences: 2, seqLen: 13, heads: 4, kvHeads: 2, headDim: 8, scoreSoftcap: 1.5 },
  { sequences: 2, seqLen: 17, heads: 2, kvHeads: 1, headDim: 48, window: 6, scoreSoftcap: 2, attnScale: 0.4 },
  // Far beyond the cap, where tanh must not overflow.
  { sequences: 1, seqLen: 11, heads: 2, kvHeads: 1, headDim: 18, scale: 5, scoreSoftcap: 0.2, attnScale: 0.3 },
])('%o', async ({ sequences, seqLen, heads, kvHeads, headDim, scale = 2, window, ...own }) => {
  const { scoreSoftcap, attnScale = 1 / Math.sqrt(headDim) } = own;
  const width = (heads + 2 * kvHeads) * headDim;
  const rows = sequences * seqLen;
  const qkv = randomValues(rows * width, 1, scale);
  const inputs = { qkv, y: rows * heads * headDim, lse: rows * heads };
  const params = {
    sequences,
    seqLen,
    heads,
    kvHeads,
    headDim,
    scale: attnScale,
    taskFirst: 0,
    tasks: attentionTasks(sequences, seqLen, heads, headDim),
    window: windowIn({ window }, seqLen),
  };
  const kernel = attention(headDim, params.window < seqLen, scoreSoftcap);
  const y = await runKernel(context, kernel, inputs, params, 'y');
  const q = columns(qkv, width, 0, heads * headDim);
  const k = columns(qkv, width, heads * headDim, kvHeads * headDim);
  const v = columns(qkv, width, (heads + kvHeads) * headDim, kvHeads * headDim);
  const expected = Array.from({ length: sequences }, (_, sequence) => {
    const part = (x: Float32Array): Float32Array => {
      const size = x.length / sequences;
      return x.subarray(sequence * size, (sequence + 1) * size);
    };
    return [...reference(part(q), part(k), part(v), { heads, kvHeads, headDim, window, ...own })];
  }).flat();
  // Scores of hundreds sharpen float32's rounding of the score itself.
  const tolerance = scale > 2 ? { rtol: 1e-3, atol: 2e-3 } : { rtol: 1e-5, atol: 2e-6 };
  expect(y).toBeAllclose(expected, tolerance);

  const lse = await runKernel(context, kernel, inputs, params, 'lse');
  const sums = Array.from({ length: rows * heads }, (_, i) => {
    const [row, head] = [Math.floor(i / heads), i % heads];
    const kvHead = Math.floor(head / (heads / kvHeads));
    const first = row - (row % seqLen);
    const from = firstKey(row - first, window);
    const scores = Array.from({ length: row - first + 1 - from }, (_, index) => {
      const key = from + index;
      let dot = 0;
      for (let d = 0; d < headDim; d++) {
        dot += q[(row * heads + head) * headDim + d]! * k[((first + key) * kvHeads + kvHead) * headDim + d]!;
      }
      return softcap(dot * attnScale, scoreSoftcap);
    });
    return logSumExp(Float64Array.from(scores));
  });
  expect(lse).toBeAllclose(sums, tolerance);
});

test('keys before the window are not even read: what they hold cannot matter', async () => {
  const [seqLen, heads, headDim, window] = [24, 2, 16, 6];
  const width = 3 * heads * headDim;
  const qkv = randomValues(seqLen * width, 1);
  const params = { sequences: 1, seqLen, heads, kvHeads: heads, headDim, scale: 0.25, taskFirst: 0, window };
  const launch = (values: Float32Array) =>
    runKernel(
      context,
      attention(headDim, true),
      { qkv: values, y: seqLen * heads * headDim, lse: seqLen * heads },
      { ...params, tasks: attentionTasks(1, seqLen, heads, headDim) },
      'y',
    );
  const clean = await launch(qkv);
  const poisoned = await launch(qkv.map((value, i) => (i < 8 * width ? Number.NaN : value)));
  // The first row that begins its walk behind row 7 is 16: its block sees keys from 11 on, in the tile of 8.
  const from = 16 * heads * headDim;
  expect(poisoned.slice(from)).toEqual(clean.slice(from));
  expect(poisoned.slice(0, from).some(Number.isNaN)).toBe(true);
});
