/** @file Attention against a cache, step by step, against that of the whole sequence in float64. */
import { beforeAll, expect, test } from 'vitest';
import { attention as reference } from '../../numerics/attention';
import '../testing/allclose';
import { Buffers } from '../gpu/buffers';
import { CommandQueue } from '../gpu/commandQueue';
import type { GpuContext } from '../gpu/device';
import { sharedTestDevice } from '../testing/harness';
import { randomValues } from '../testing/testWeights';
import { cacheAppend, cacheCombine, cacheMix, cacheScores } from './cachedAttention';

let context: GpuContext;
beforeAll(async () => {
  context = await sharedTestDevice();
});

interface Case {
  heads: number;
  kvHeads: number;
  headDim: number;
  /** Tokens of each step; the last one's attention is compared. */
  steps: readonly number[];
  /** Slots of the cache; as many as tokens unless given. */
  slots?: number;
  window?: number;
  chunk?: number;
  attnScale?: number;
  scoreSoftcap?: number;
}

test.each<Case>([
  { heads: 1, kvHeads: 1, headDim: 4, steps: [1] },
  { heads: 4, kvHeads: 2, headDim: 16, steps: [70, 1] },
  { heads: 6, kvHeads: 2, headDim: 20, steps: [5, 9, 3], chunk: 4 },
  { heads: 3, kvHeads: 1, headDim: 6, steps: [11, 1, 1], chunk: 3 },
  { heads: 2, kvHeads: 1, headDim: 18, steps: [7, 5], scoreSoftcap: 1.5, attnScale: 0.3, chunk: 5 },
  // A window shorter than the text, in as few slots as it and a step need: slots are taken again and again.
  { heads: 4, kvHeads: 2, headDim: 8, steps: [6, 6, 6, 6, 2], window: 5, slots: 10, chunk: 4 },
  { heads: 2, kvHeads: 2, headDim: 6, steps: [3, 1, 1, 1, 1], window: 1, slots: 3 },
  { heads: 4, kvHeads: 1, headDim: 12, steps: [9, 4], window: 40, chunk: 8 },
])('%o', async ({ heads, kvHeads, headDim, steps, chunk = 64, window, ...own }) => {
  const total = steps.reduce((a, b) => a + b, 0);
  const { slots = total, scoreSoftcap, attnScale = 1 / Math.sqrt(headDim) } = own;
  const width = (heads + 2 * kvHeads) * headDim;
  const cols = 2 * kvHeads * headDim;
  const all = randomValues(total * width, 1, 2);
  const buffers = new Buffers(context);
  const queue = new CommandQueue(context);
  const cache = await buffers.allocate(slots * cols * 4, 'cache');
  // What no token has filled yet must not matter.
  await queue.write(cache, new Float32Array(slots * cols).fill(Number.NaN));
  let first = 0;
  let y = new Float32Array();
  for (const count of steps) {
    const qkv = await buffers.allocate(count * width * 4, 'qkv');
    await queue.write(qkv, all.slice(first * width, (first + count) * width));
    const appending = { rows: count, cols, skip: heads * headDim, first, slots };
    await queue.launch(cacheAppend, { qkv, cache }, appending, 0);
    const out = await buffers.allocate(count * heads * headDim * 4, 'y');
    // The rows of a step in two launches, as where the scores of all would take too much.
    for (const [rowFirst, rows] of [
      [0, Math.ceil(count / 2)],
      [Math.ceil(count / 2), Math.floor(count / 2)],
    ] as const) {
      if (rows === 0) continue;
      const keyFirst = Math.max(0, first + rowFirst + 1 - (window ?? 2 ** 31));
      const keys = first + rowFirst + rows - keyFirst;
      const chunks = Math.ceil(keys / chunk);
      const scores = await buffers.allocate(rows * heads * keys * 4, 'scores');
      const sums = await buffers.allocate(rows * heads * chunks * 8, 'sums');
      const values = await buffers.allocate(rows * heads * chunks * Math.ceil(headDim / 4) * 16, 'values');
      const sizes = { rows, keyFirst, keys, slots, heads, kvHeads, headDim };
      const scoring = { ...sizes, rowFirst, first, window: window ?? 2 ** 31, scale: attnScale };
      await queue.launch(cacheScores(headDim, scoreSoftcap), { qkv, cache, scores }, scoring, 0);
      await queue.launch(cacheMix(headDim), { scores, cache, sums, values }, { ...sizes, chunk }, 0);
      const joining = { rows, heads, headDim, chunks, yFirst: rowFirst };
      await queue.launch(cacheCombine, { sums, values, y: out }, joining, 0);
    }
    y = new Float32Array(await queue.read(out, count * heads * headDim * 4));
    first += count;
  }
  const columns = (from: number, size: number): Float64Array =>
    Float64Array.from({ length: total * size }, (_, i) => all[Math.floor(i / size) * width + from + (i % size)]!);
  const expected = reference(
    columns(0, heads * headDim),
    columns(heads * headDim, kvHeads * headDim),
    columns((heads + kvHeads) * headDim, kvHeads * headDim),
    { heads, kvHeads, headDim, window, attnScale, scoreSoftcap },
  );
  expect(y).toBeAllclose(expected.slice(-y.length), { rtol: 1e-5, atol: 2e-6 });
  queue.dispose();
  buffers.dispose();
});
