import { beforeAll, expect, test } from 'vitest';
import type { StoredDtype } from '../../model/weights';
import { cappedLogits, logSumExp } from '../../numerics/crossEntropy';
import { softcapSlope } from '../../numerics/softcap';
import '../testing/allclose';
import type { GpuContext } from '../gpu/device';
import { runKernel, sharedTestDevice } from '../testing/harness';
import { randomValues, stored } from '../testing/testWeights';
import { headGradient } from './headGradient';
import type { TileName } from './tile';

let context: GpuContext;
beforeAll(async () => {
  context = await sharedTestDevice();
});

// A chunk of the vocabulary: `cols` rows from weightFirst of a part that begins at vocabulary row 10.
test.each<[TileName, StoredDtype, number, number, number, number, number?]>([
  ['16x8', 'F32', 18, 64, 0, 40],
  ['16x8', 'F16', 5, 12, 8, 21],
  ['4x8', 'BF16', 3, 20, 16, 3],
  ['workgroup', 'BF16', 69, 20, 8, 21],
  ['any', 'F16', 6, 7, 1, 30],
  ['4x8', 'F16', 5, 12, 8, 21, 2],
  ['any', 'F32', 6, 7, 1, 30, 0.5],
])(
  'tile %s, %s, %i rows, inner %i, from weight row %i on %i columns, soft cap %s',
  async (tile, dtype, rows, inner, weightFirst, cols, cap) => {
    const [vocab, partFirst] = [60, 10];
    const head = stored(randomValues(vocab * inner, 1), dtype);
    const perRow = head.bytes.byteLength / vocab;
    const x = randomValues(rows * inner, 2);
    // Some targets lie within the stretch, some before it or behind.
    const targets = Array.from({ length: rows }, (_, row) => (row * 7 + partFirst + weightFirst) % vocab);
    const dNll = randomValues(rows, 3).map((value, row) => (row === 1 ? 0 : value));
    const logits = cappedLogits(x, head.values, inner, cap);
    const lse = Float32Array.from({ length: rows }, (_, row) =>
      logSumExp(logits.subarray(row * vocab, (row + 1) * vocab)),
    );
    const stride = Math.ceil(cols / 4) * 4;
    const inputs = {
      weight: head.bytes.slice(partFirst * perRow),
      x,
      targets: Uint32Array.from(targets),
      lse,
      dNll,
      dLogits: rows * stride,
    };
    const place = { inner, cols, stride, weightFirst, vocabFirst: partFirst + weightFirst };
    // In two launches, as long ones are cut.
    const kernel = headGradient(dtype, tile, cap);
    const half = await runKernel(context, kernel, inputs, { ...place, rows: 2, first: 0 }, 'dLogits');
    const all = { ...inputs, dLogits: half };
    const out = await runKernel(context, kernel, all, { ...place, rows: rows - 2, first: 2 }, 'dLogits');
    const expected = Float64Array.from({ length: rows * stride }, (_, i) => {
      const [row, col] = [Math.floor(i / stride), i % stride];
      if (col >= cols) return 0;
      const id = partFirst + weightFirst + col;
      const logit = logits[row * vocab + id]!;
      const share = Math.exp(logit - lse[row]!) - (id === targets[row] ? 1 : 0);
      return dNll[row]! * share * softcapSlope(logit, cap);
    });
    expect(out).toBeAllclose(expected, { rtol: 1e-4, atol: 1e-6 });
  },
);
