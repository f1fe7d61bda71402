import { beforeAll, describe, expect, test } from 'vitest';
import type { StoredDtype } from '../../model/weights';
import { klDivergence } from '../../numerics/divergence';
import '../testing/allclose';
import type { GpuContext } from '../gpu/device';
import { inEveryRun, runKernel, sharedTestDevice } from '../testing/harness';
import { randomValues, stored } from '../testing/testWeights';
import { combineDivergence } from './combineDivergence';
import { divergencePartials } from './divergencePartials';
import type { TileName } from './tile';

let context: GpuContext;
beforeAll(async () => {
  context = await sharedTestDevice();
});

/** kl of rows of p against rows of q, with the head in one part and chunks of chunkCols columns. */
async function divergence(
  dtype: StoredDtype,
  tile: TileName,
  head: { bytes: Uint8Array; vocab: number },
  p: Float32Array,
  q: Float32Array,
  inner: number,
  chunkCols: number,
  softcap?: number,
): Promise<Float32Array> {
  const rows = p.length / inner;
  const chunks = Math.ceil(head.vocab / chunkCols);
  // A row of something else lies between them.
  const x = Float32Array.of(...p, ...new Float32Array(inner).fill(9), ...q);
  const partials = await runKernel(
    context,
    divergencePartials(dtype, tile, softcap),
    { weight: head.bytes, x, partials: rows * chunks * 8 },
    { rows, inner, cols: head.vocab, pFirst: 0, qFirst: rows + 1, chunkCols, chunkFirst: 0, stride: chunks },
    'partials',
  );
  return runKernel(context, combineDivergence, { partials, kl: rows }, { rows, chunks, klFirst: 0 }, 'kl');
}

describe.each<StoredDtype>(['F32', 'F16', 'BF16'])('divergence with %s weights', (dtype) => {
  const cases: [TileName, number, number, number, number, number?][] = [
    ['16x8', 1, 64, 511, 64],
    ['16x8', 18, 172, 511, 72],
    ['4x8', 7, 64, 3, 64],
    ['4x8', 5, 64, 130, 64],
    ['4x8', 1, 8, 1, 64],
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
      const [p, q] = [randomValues(rows * inner, 2), randomValues(rows * inner, 3)];
      const kl = await divergence(dtype, tile, { bytes: head.bytes, vocab }, p, q, inner, chunkCols, cap);
      expect(kl).toBeAllclose(klDivergence(p, q, head.values, inner, cap), { rtol: 1e-5, atol: 1e-5 });
    },
  );
});

const pair = (a: number, b: number) => new Uint8Array(Float32Array.of(a, 0, 0, 0, b, 0, 0, 0).buffer);

test('large logits do not overflow, and equal ones are at distance 0', async () => {
  const one = Float32Array.of(1, 0, 0, 0);
  const other = Float32Array.of(-1, 0, 0, 0);
  const head = { bytes: pair(500, -500), vocab: 2 };
  expect(await divergence('F32', '4x8', head, one, other, 4, 64)).toBeAllclose([1000]);
  expect([...(await divergence('F32', '4x8', head, one, one, 4, 64))]).toEqual([0]);
});

test('which model is compared with which matters', async () => {
  const head = { bytes: pair(1, 0), vocab: 2 };
  const [p, q] = [Float32Array.of(2, 0, 0, 0), Float32Array.of(-1, 0, 0, 0)];
  // By hand: p = (e², 1) / (e² + 1), q = (1/e, 1) / (1/e + 1).
  const [a, b] = [Math.exp(2) / (Math.exp(2) + 1), Math.exp(-1) / (Math.exp(-1) + 1)];
  const kl = (s: number, t: number) => s * Math.log(s / t) + (1 - s) * Math.log((1 - s) / (1 - t));
  expect(await divergence('F32', '4x8', head, p, q, 4, 64)).toBeAllclose([kl(a, b)]);
  expect(await divergence('F32', '4x8', head, q, p, 4, 64)).toBeAllclose([kl(b, a)]);
});
