import { beforeAll, describe, expect, test } from 'vitest';
import type { StoredDtype } from '../../model/weights';
import { cappedLogits, crossEntropy, logSumExp } from '../../numerics/crossEntropy';
import '../testing/allclose';
import type { GpuContext } from '../gpu/device';
import { inEveryRun, runKernel, sharedTestDevice } from '../testing/harness';
import { randomValues, stored } from '../testing/testWeights';
import { combinePartials } from './combinePartials';
import { chunkColumns, headPartials } from './headPartials';
import type { TileName } from './tile';

let context: GpuContext;
beforeAll(async () => {
  context = await sharedTestDevice();
});

/** nll or lse of rows, with the head in one part and chunks of chunkCols columns. */
async function loss(
  dtype: StoredDtype,
  tile: TileName,
  head: { bytes: Uint8Array; vocab: number },
  x: Float32Array,
  targets: number[],
  inner: number,
  chunkCols: number,
  output: 'nll' | 'lse' = 'nll',
  softcap?: number,
): Promise<Float32Array> {
  const rows = targets.length;
  const chunks = Math.ceil(head.vocab / chunkCols);
  const partials = await runKernel(
    context,
    headPartials(dtype, tile, softcap),
    { weight: head.bytes, x, targets: Uint32Array.from(targets), partials: rows * chunks * 4 },
    {
      rows,
      inner,
      cols: head.vocab,
      xFirst: 0,
      targetFirst: 0,
      vocabFirst: 0,
      chunkCols,
      chunkFirst: 0,
      stride: chunks,
    },
    'partials',
  );
  return runKernel(context, combinePartials, { partials, nll: rows, lse: rows }, { rows, chunks, nllFirst: 0 }, output);
}

describe.each<StoredDtype>(['F32', 'F16', 'BF16'])('head and loss with %s weights', (dtype) => {
  const cases: [TileName, number, number, number, number, number?][] = [
    ['16x8', 1, 64, 511, 64],
    ['16x8', 18, 172, 511, 72],
    ['4x8', 7, 64, 3, 64],
    ['4x8', 5, 64, 130, 64],
    ['workgroup', 1, 4, 3, 64],
    ['workgroup', 66, 68, 511, 72],
    ['any', 3, 65, 511, 64],
    ['any', 6, 7, 66, 64],
    ['4x8', 5, 64, 130, 64, 2],
    ['any', 6, 7, 66, 64, 1.5],
  ];
  test.each(cases.filter(([tile, , , , , cap]) => inEveryRun(dtype, tile, cap)))(
    'tile %s, %i rows, inner %i, vocab %i in chunks of %i, soft cap %s',
    async (tile, rows, inner, vocab, chunkCols, cap) => {
      const head = stored(randomValues(vocab * inner, 1), dtype);
      const x = randomValues(rows * inner, 2);
      const targets = Array.from({ length: rows }, (_, row) => (row * 97 + vocab - 1) % vocab);
      const nll = await loss(dtype, tile, { bytes: head.bytes, vocab }, x, targets, inner, chunkCols, 'nll', cap);
      expect(nll).toBeAllclose(crossEntropy(x, head.values, targets, inner, cap), { rtol: 1e-5, atol: 1e-5 });
      const lse = await loss(dtype, tile, { bytes: head.bytes, vocab }, x, targets, inner, chunkCols, 'lse', cap);
      const sums = targets.map((_, row) =>
        logSumExp(cappedLogits(x.subarray(row * inner, (row + 1) * inner), head.values, inner, cap)),
      );
      expect(lse).toBeAllclose(sums, { rtol: 1e-5, atol: 1e-5 });
    },
  );
});

test('large logits do not overflow, and a sure prediction costs nothing', async () => {
  const head = Float32Array.of(500, 0, 0, 0, -500, 0, 0, 0);
  const nll = await loss(
    'F32',
    '4x8',
    { bytes: new Uint8Array(head.buffer), vocab: 2 },
    Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0),
    [0, 1],
    4,
    64,
  );
  expect(nll).toBeAllclose([0, 1000]);
  const capped = await loss(
    'F32',
    '4x8',
    { bytes: new Uint8Array(head.map((value) => 1e6 * value).buffer), vocab: 2 },
    Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0),
    [0, 1],
    4,
    64,
    'nll',
    30,
  );
  expect(capped).toBeAllclose([0, 60]);
});

test('a chunk is never narrower than 64 columns, and a large vocabulary makes at most 64', () => {
  expect(chunkColumns(512)).toBe(64);
  expect(chunkColumns(128256)).toBe(2008);
  expect(Math.ceil(128256 / chunkColumns(128256))).toBeLessThanOrEqual(64);
});
