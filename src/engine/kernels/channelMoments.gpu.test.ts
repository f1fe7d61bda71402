import { beforeAll, describe, expect, test } from 'vitest';
import { type Moments, mergeMoments, noMoments, channelMoments as reference } from '../../numerics/moments';
import '../testing/allclose';
import type { GpuContext } from '../gpu/device';
import { runKernel, sharedTestDevice } from '../testing/harness';
import { randomValues } from '../testing/testWeights';
import { channelMoments } from './channelMoments';

let context: GpuContext;
beforeAll(async () => {
  context = await sharedTestDevice();
});

/** Whether a row of a batch is a token. */
const isToken = (row: number, seqLen: number, lengths: readonly number[]): boolean =>
  row % seqLen < lengths[Math.floor(row / seqLen)]!;

describe.each([
  ['nothing padded', 1, 1, 4, [4], 0, 4, 0],
  ['padding in every sequence but one', 67, 3, 9, [9, 5, 8, 1], 0, 36, 0],
  ['a slice that begins and ends within a sequence', 5, 4, 9, [9, 5, 8, 1], 7, 20, 0],
  ['a chunk of nothing but padding', 12, 4, 16, [16, 3], 0, 32, 0],
  ['one chunk', 172, 256, 33, [33, 30], 0, 66, 0],
  ['chunks that begin where sequences do', 5, 9, 9, [9, 5, 8, 1], 7, 20, 7],
] as const)(
  '%s: %i channels in chunks of %i rows',
  (_, channels, chunkRows, seqLen, lengths, batchFirst, rows, skew) => {
    test.each([
      ['around 0', 0, 1, 1e-5],
      // float32 squares would lose it all; what is left is the rounding of the chunks' means.
      ['a mean that is ten thousand times the deviations', 1000, 0.1, 1e-3],
    ])('%s', async (_, mean, scale, rtol) => {
      // Padding is large, so that a row of it would show.
      const x = randomValues(rows * channels, 1, scale).map((value, index) =>
        isToken(batchFirst + Math.floor(index / channels), seqLen, lengths) ? value + mean : 1e6,
      );
      const chunks = Math.ceil((rows + skew) / chunkRows);
      const yFirst = 3;
      const pairs = await runKernel(
        context,
        channelMoments,
        { x, lengths: Uint32Array.from(lengths), y: 2 * (yFirst + chunks * channels) },
        { rows, channels, chunkRows, skew, batchFirst, seqLen, yFirst },
        'y',
      );
      const found = noMoments(channels);
      const all: number[] = [];
      for (let chunk = 0; chunk < chunks; chunk++) {
        const tokens: number[] = [];
        const begin = Math.max(0, chunk * chunkRows - skew);
        for (let row = begin; row < Math.min((chunk + 1) * chunkRows - skew, rows); row++) {
          if (!isToken(batchFirst + row, seqLen, lengths)) continue;
          tokens.push(...x.subarray(row * channels, (row + 1) * channels));
        }
        const from = 2 * (yFirst + chunk * channels);
        const own = pairs.subarray(from, from + 2 * channels);
        expectMoments(own, reference(tokens, channels), rtol);
        mergeMoments(found, tokens.length / channels, own);
        all.push(...tokens);
      }
      const expected = reference(all, channels);
      expect(found.count).toBe(expected.count);
      expect(found.mean).toBeAllclose(expected.mean, { rtol: 1e-6, atol: 1e-6 });
      expect(found.deviations).toBeAllclose(expected.deviations, { rtol, atol: rtol * scale ** 2 });
    });
  },
);

function expectMoments(pairs: Float32Array, expected: Moments, rtol: number): void {
  const scale = Math.max(...expected.deviations);
  expect(pairs.filter((_, index) => index % 2 === 0)).toBeAllclose(expected.mean, { rtol: 1e-6, atol: 1e-6 });
  expect(pairs.filter((_, index) => index % 2 === 1)).toBeAllclose(expected.deviations, { rtol, atol: rtol * scale });
}
