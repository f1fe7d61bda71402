import { beforeAll, expect, test } from 'vitest';
import { embeddingBackward as reference } from '../../numerics/embeddingBackward';
import '../testing/allclose';
import type { GpuContext } from '../gpu/device';
import { tokenUses } from '../pass/tokenUses';
import { runKernel, sharedTestDevice } from '../testing/harness';
import { randomValues } from '../testing/testWeights';
import { embeddingGradient } from './embeddingGradient';

let context: GpuContext;
beforeAll(async () => {
  context = await sharedTestDevice();
});

/** Vocabulary rows vocabFirst … vocabFirst + cols; tokens before and behind them are left alone. */
test.each([
  [1, 1, 1, 0, 1, 1],
  [7, 9, 65, 2, 4, 1],
  [33, 12, 130, 0, 12, 5.5],
  [200, 5, 64, 1, 3, 1],
])(
  '%i rows of %i tokens, hidden %i, table rows from %i on %i, times %d',
  async (rows, vocab, hidden, vocabFirst, cols, scale) => {
    const tokens = Uint32Array.from({ length: rows }, (_, row) => (row * row + (row % 3)) % vocab);
    const dY = randomValues(rows * hidden, 1);
    const before = randomValues(cols * hidden, 2);
    const lists = tokenUses({ lengths: [rows], seqLen: rows, tokens });
    const useFirst = lists.tokens.filter((token) => token < vocabFirst).length;
    const uses = lists.tokens.filter((token) => token < vocabFirst + cols).length - useFirst;
    const out = await runKernel(
      context,
      embeddingGradient,
      { dY, ...lists, gradient: before },
      { uses, useFirst, hidden, vocabFirst, scale },
      'gradient',
    );
    const table = new Float64Array(vocab * hidden);
    table.set(before, vocabFirst * hidden);
    const scaled = dY.map((value) => scale * value);
    reference(scaled, [...tokens], hidden, table);
    expect(out).toBeAllclose(table.slice(vocabFirst * hidden, (vocabFirst + cols) * hidden), {
      rtol: 1e-5,
      atol: 1e-5,
    });
  },
);
