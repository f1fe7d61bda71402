/** @file The divergence of final hidden states, row by row: norm, head and softmaxes without a stored logit. */

import { combineDivergence } from '../kernels/combineDivergence';
import { divergencePartials } from '../kernels/divergencePartials';
import { chunkColumns } from '../kernels/headPartials';
import { pieces, type Rows, touch } from '../pass/parts';
import type { EngineParts } from '../pass/runtime';
import { finalNorm } from '../pass/vocabulary';

/**
 * kl[i · whole.count + r] = KL in nats of the base's next-token distribution after its row r from that of the i-th
 * variant's row r. Rows are the residual stream after the last block.
 */
export async function divergenceRows(
  parts: EngineParts,
  base: Rows,
  variants: readonly Rows[],
  kl: GPUBuffer,
): Promise<void> {
  const { buffers, forward, shape, queue } = parts;
  const { hidden: inner } = shape;
  const most = Math.min(forward.sliceRows, base.count);
  // One buffer, since a tile reads rows of one: the base's in front, a variant's behind them.
  const x = await buffers.acquire(2 * most * inner * 4, 'normalized pairs');
  const normalizeInto = async (rows: Rows, first: number): Promise<void> => {
    const normalized = await finalNorm(parts, rows);
    queue.copy(normalized, 0, x, first * inner * 4, rows.count * inner * 4);
    buffers.release(normalized);
  };
  for (let done = 0; done < base.count; done += most) {
    const count = Math.min(most, base.count - done);
    const slice = ({ buffer, first }: Rows): Rows => ({ buffer, first: first + done, count });
    await normalizeInto(slice(base), 0);
    for (const [index, variant] of variants.entries()) {
      await normalizeInto(slice(variant), most);
      await pairs(parts, x, { pFirst: 0, qFirst: most, count }, kl, index * base.count + done);
    }
  }
  buffers.release(x);
}

/** kl from klFirst of `count` pairs of normalized rows of x. */
async function pairs(
  parts: EngineParts,
  x: GPUBuffer,
  rows: { pFirst: number; qFirst: number; count: number },
  kl: GPUBuffer,
  klFirst: number,
): Promise<void> {
  const { buffers, choice, shape, queue, weights } = parts;
  const { vocab, hidden: inner } = shape;
  const chunkCols = chunkColumns(vocab);
  const chunks = weights.head.reduce((sum, part) => sum + Math.ceil(part.rows / chunkCols), 0);
  for (const { first, count } of pieces(parts, rows.count, 4 * inner * vocab)) {
    const partials = await buffers.acquire(count * chunks * 32, 'divergence partials');
    let chunkFirst = 0;
    for (const { buffer, dtype, rows: cols } of weights.head) {
      // The loss has the same matmul, so the tile that is fastest there is fastest here.
      const tile = choice.tile('headPartials', { dtype, rows: count, inner, cols });
      const [pFirst, qFirst] = [rows.pFirst + first, rows.qFirst + first];
      await queue.launch(
        divergencePartials(dtype, tile, shape.logitSoftcap),
        { weight: buffer, x, partials },
        { rows: count, inner, cols, pFirst, qFirst, chunkCols, chunkFirst, stride: chunks },
        4 * count * inner * cols,
      );
      chunkFirst += Math.ceil(cols / chunkCols);
    }
    await queue.launch(
      combineDivergence,
      { partials, kl },
      { rows: count, chunks, klFirst: klFirst + first },
      count * chunks * touch,
    );
    buffers.release(partials);
  }
}
