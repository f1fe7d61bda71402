import { beforeAll, expect, test } from 'vitest';
import type { StoredDtype } from '../../model/weights';
import { embedding as reference } from '../../numerics/embedding';
import '../testing/allclose';
import type { GpuContext } from '../gpu/device';
import { runKernel, sharedTestDevice } from '../testing/harness';
import { randomValues, stored } from '../testing/testWeights';
import { embedding } from './embedding';

let context: GpuContext;
beforeAll(async () => {
  context = await sharedTestDevice();
});

test.each<[StoredDtype, number, number]>([
  ['F32', 64, 1],
  ['F16', 65, 1],
  ['BF16', 7, 8],
  ['F16', 128, 0.5],
])('embedding from a %s table of width %i, times %d, is exact', async (dtype, hidden, scale) => {
  const vocab = 511;
  const weight = stored(randomValues(vocab * hidden, 1), dtype);
  const tokens = [510, 0, 1, 17, 510, 255];
  const y = await runKernel(
    context,
    embedding[dtype],
    { weight: weight.bytes, tokens: Uint32Array.from([9, ...tokens]), y: tokens.length * hidden },
    { rows: tokens.length, hidden, tokenFirst: 1, yFirst: 0, vocabFirst: 0, vocabRows: vocab, scale },
    'y',
  );
  const expected = reference(tokens, weight.values, hidden).map((value) => scale * value);
  expect(y).toBeAllclose(expected, { rtol: 0, atol: 0 });
});

test('a part of the table serves its own tokens only', async () => {
  const y = await runKernel(
    context,
    embedding.F32,
    { weight: Float32Array.of(10, 20), tokens: Uint32Array.of(4, 5, 6, 7), y: Float32Array.of(-1, -2, -3, -4) },
    { rows: 4, hidden: 1, tokenFirst: 0, yFirst: 0, vocabFirst: 5, vocabRows: 2, scale: 1 },
    'y',
  );
  expect([...y]).toEqual([-1, 10, 20, -4]);
});
