import { beforeAll, expect, test } from 'vitest';
import { firstKey, attention as reference } from '../../numerics/attention';
import { attentionBackward as backwardReference } from '../../numerics/attentionBackward';
import { logSumExp } from '../../numerics/crossEntropy';
import { softcap } from '../../numerics/softcap';
import '../testing/allclose';
import type { GpuContext } from '../gpu/device';
import { longTier, runKernel, sharedTestDevice } from '../testing/harness';
import { randomValues } from '../testing/testWeights';
import { attentionTasks, windowIn } from './attention';
import { attentionBackward } from './attentionBackward';

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

/** What one sequence contributes: its share of every buffer, and the gradients that are expected. */
function sequence(seed: number, size: Case) {
  const { seqLen, heads, kvHeads, headDim, scale = 2, window, scoreSoftcap } = size;
  const { attnScale = 1 / Math.sqrt(headDim) } = size;
  const group = heads / kvHeads;
  const sizes = { heads, kvHeads, headDim, window, scoreSoftcap, attnScale };
  const q = randomValues(seqLen * heads * headDim, 4 * seed, scale);
  const k = randomValues(seqLen * kvHeads * headDim, 4 * seed + 1, scale);
  const v = randomValues(seqLen * kvHeads * headDim, 4 * seed + 2, scale);
  const dY = randomValues(seqLen * heads * headDim, 4 * seed + 3);
  const y = reference(q, k, v, sizes);
  const dQ = new Float64Array(q.length);
  const dK = new Float64Array(k.length);
  const dV = new Float64Array(v.length);
  backwardReference(dY, q, k, v, sizes, dQ, dK, dV);
  const lse: number[] = [];
  const delta: number[] = [];
  for (let row = 0; row < seqLen; row++) {
    for (let head = 0; head < heads; head++) {
      const at = (row * heads + head) * headDim;
      const first = firstKey(row, window);
      const scores = Array.from({ length: row + 1 - first }, (_, index) => {
        const key = first + index;
        const keyAt = (key * kvHeads + Math.floor(head / group)) * headDim;
        let dot = 0;
        for (let d = 0; d < headDim; d++) dot += q[at + d]! * k[keyAt + d]!;
        return softcap(dot * attnScale, scoreSoftcap);
      });
      lse.push(logSumExp(Float64Array.from(scores)));
      let mean = 0;
      for (let d = 0; d < headDim; d++) mean += dY[at + d]! * y[at + d]!;
      delta.push(mean);
    }
  }
  return { qkv: joined(q, k, v, seqLen), dY: [...dY], y: [...y], lse, delta, dQkv: joined(dQ, dK, dV, seqLen) };
}

/** Rows of the three behind one another, as the engine lays them out. */
function joined(q: ArrayLike<number>, k: ArrayLike<number>, v: ArrayLike<number>, seqLen: number): number[] {
  const rowOf = (values: ArrayLike<number>, row: number): number[] => {
    const width = values.length / seqLen;
    return Array.from({ length: width }, (_, i) => values[row * width + i]!);
  };
  return Array.from({ length: seqLen }, (_, row) => [...rowOf(q, row), ...rowOf(k, row), ...rowOf(v, row)]).flat();
}

/** Each size of a head compiles kernels of its own, which takes a second: of each form some. */
const cases: readonly Case[] = [
  { sequences: 1, seqLen: 1, heads: 1, kvHeads: 1, headDim: 8 },
  { sequences: 3, seqLen: 7, heads: 4, kvHeads: 2, headDim: 8 },
  { sequences: 2, seqLen: 10, heads: 2, kvHeads: 2, headDim: 12 },
  { sequences: 1, seqLen: 6, heads: 4, kvHeads: 2, headDim: 64 },
  { sequences: 2, seqLen: 5, heads: 2, kvHeads: 1, headDim: 6 },
  { sequences: 2, seqLen: 13, heads: 2, kvHeads: 2, headDim: 8, window: 1 },
  { sequences: 3, seqLen: 17, heads: 4, kvHeads: 2, headDim: 8, window: 3 },
  { sequences: 2, seqLen: 33, heads: 3, kvHeads: 1, headDim: 16, window: 7 },
  { sequences: 2, seqLen: 9, heads: 2, kvHeads: 1, headDim: 8, window: 50 },
  { sequences: 2, seqLen: 17, heads: 2, kvHeads: 1, headDim: 8, window: 6, scoreSoftcap: 2, attnScale: 0.4 },
  // Far beyond the cap, where tanh must not overflow.
  { sequences: 1, seqLen: 11, heads: 2, kvHeads: 1, headDim: 18, scale: 5, scoreSoftcap: 0.2, attnScale: 0.3 },
];
const more: readonly Case[] = [
  { sequences: 1, seqLen: 18, heads: 2, kvHeads: 1, headDim: 80, window: 12 },
  { sequences: 2, seqLen: 17, heads: 2, kvHeads: 1, headDim: 48, window: 6, scoreSoftcap: 2, attnScale: 0.4 },
  { sequences: 1, seqLen: 9, heads: 2, kvHeads: 1, headDim: 4 },
  { sequences: 2, seqLen: 33, heads: 3, kvHeads: 1, headDim: 16 },
  { sequences: 2, seqLen: 10, heads: 2, kvHeads: 2, headDim: 24 },
  { sequences: 1, seqLen: 19, heads: 2, kvHeads: 1, headDim: 48 },
  { sequences: 1, seqLen: 12, heads: 2, kvHeads: 1, headDim: 18 },
  { sequences: 1, seqLen: 40, heads: 2, kvHeads: 1, headDim: 16, scale: 8 },
  { sequences: 1, seqLen: 23, heads: 4, kvHeads: 2, headDim: 64, window: 8 },
  { sequences: 1, seqLen: 12, heads: 2, kvHeads: 1, headDim: 18, window: 6 },
  { sequences: 2, seqLen: 10, heads: 4, kvHeads: 1, headDim: 24, window: 9 },
  { sequences: 2, seqLen: 13, heads: 4, kvHeads: 2, headDim: 8, scoreSoftcap: 1.5 },
];

test.each(longTier ? [...cases, ...more] : cases)('%o', async (size) => {
  const { sequences, seqLen, heads, kvHeads, headDim, scale = 2, scoreSoftcap } = size;
  const { attnScale = 1 / Math.sqrt(headDim) } = size;
  const window = windowIn(size, seqLen);
  const all = Array.from({ length: sequences }, (_, index) => sequence(index + 1, size));
  const of = (name: keyof ReturnType<typeof sequence>): Float32Array =>
    Float32Array.from(all.flatMap((one) => one[name]));
  const [qkv, dY, y, lse] = [of('qkv'), of('dY'), of('y'), of('lse')];
  const sizes = { sequences, seqLen, heads, kvHeads, headDim, scale: attnScale, taskFirst: 0, window };
  const queries = { ...sizes, tasks: attentionTasks(sequences, seqLen, heads, headDim) };
  const keys = { ...sizes, tasks: attentionTasks(sequences, seqLen, kvHeads, headDim) };
  const { query, key } = attentionBackward(headDim, window < seqLen, scoreSoftcap);
  const inputs = { qkv, dY, lse, y, dQkv: qkv.length, delta: lse.length };
  // Scores of tens sharpen float32's rounding of the score itself.
  const tolerance = scale > 2 ? { rtol: 1e-3, atol: 1e-3 } : { rtol: 2e-5, atol: 1e-5 };
  const delta = await runKernel(context, query, inputs, queries, 'delta');
  expect(delta).toBeAllclose(of('delta'), tolerance);
  const half = await runKernel(context, query, inputs, queries, 'dQkv');
  const dQkv = await runKernel(context, key, { qkv, dY, lse, delta, dQkv: half }, keys, 'dQkv');
  expect(dQkv).toBeAllclose(of('dQkv'), tolerance);
});

test('a window: neither keys before it nor queries beyond it are read', async () => {
  const [seqLen, window] = [24, 6];
  const size = { sequences: 1, seqLen, heads: 2, kvHeads: 2, headDim: 16 };
  const { qkv, dY, y, lse, delta } = sequence(1, { ...size, window });
  const width = qkv.length / seqLen;
  const params = { ...size, scale: 0.25, taskFirst: 0, window, tasks: attentionTasks(1, seqLen, 2, 16) };
  const { query, key } = attentionBackward(16, true);
  const run = async (values: number[], gradients: number[]) => {
    const [x, dOut] = [Float32Array.from(values), Float32Array.from(gradients)];
    const [sums, means] = [Float32Array.from(lse), Float32Array.from(delta)];
    const queries = { qkv: x, dY: dOut, lse: sums, y: Float32Array.from(y), dQkv: qkv.length, delta: delta.length };
    const keys = { qkv: x, dY: dOut, lse: sums, delta: means, dQkv: qkv.length };
    return {
      dQ: await runKernel(context, query, queries, params, 'dQkv'),
      dKv: await runKernel(context, key, keys, params, 'dQkv'),
    };
  };
  const clean = await run(qkv, dY);
  const early = await run(
    qkv.map((value, i) => (i < 8 * width ? Number.NaN : value)),
    dY,
  );
  // As in the forward pass, rows from 16 on walk keys from 8 on.
  expect(early.dQ.slice(16 * width)).toEqual(clean.dQ.slice(16 * width));
  expect(early.dQ.slice(8 * width, 16 * width).some(Number.isNaN)).toBe(true);
  const late = await run(
    qkv,
    dY.map((value, i) => (i < (dY.length / seqLen) * 16 ? value : Number.NaN)),
  );
  // Keys up to 7 are seen by queries up to 12, in the tile before 16.
  expect(late.dKv.slice(0, 8 * width)).toEqual(clean.dKv.slice(0, 8 * width));
  expect(late.dKv.slice(8 * width).some(Number.isNaN)).toBe(true);
});
