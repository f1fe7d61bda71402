/** @file The vocabulary's tables in the forward pass: embedding, final norm, head and loss. */
import { softcap } from '../../numerics/softcap';
import { combinePartials } from '../kernels/combinePartials';
import { embedding } from '../kernels/embedding';
import { chunkColumns, headPartials } from '../kernels/headPartials';
import { normalize } from './norms';
import { type PassParts, pieces, type Rows, touch } from './parts';
import { project } from './projection';

/** Rows of hidden from the embedding of as many tokens, scaled if the model does so. */
export async function embed({ queue, shape, weights }: PassParts, tokens: GPUBuffer, rows: Rows): Promise<void> {
  const { hidden, embedScale: scale = 1 } = shape;
  for (const { buffer: weight, dtype, first: vocabFirst, rows: vocabRows } of weights.embed) {
    await queue.launch(
      embedding[dtype],
      { weight, tokens, y: rows.buffer },
      { rows: rows.count, hidden, tokenFirst: 0, yFirst: rows.first, vocabFirst, vocabRows, scale },
      rows.count * hidden * touch,
    );
  }
}

/** An acquired buffer with the rows after the last block as the head reads them. */
export async function finalNorm(parts: PassParts, rows: Rows): Promise<GPUBuffer> {
  parts.weights.checks.head();
  return normalize(parts, parts.weights.finalNorm, rows);
}

/** Where losses go: nll and lse from `first` on. */
export interface LossOutput {
  /** The loss in nats of each row. */
  readonly nll: GPUBuffer;
  /** The log-sum-exp of each row's logits. */
  readonly lse: GPUBuffer;
  readonly first: number;
}

/** The losses of targets[targetFirst + i] after the normalized rows x [rows, hidden]: head and cross entropy. */
export async function headLoss(
  parts: PassParts,
  x: GPUBuffer,
  rows: number,
  { targets, targetFirst }: { readonly targets: GPUBuffer; readonly targetFirst: number },
  { nll, lse, first }: LossOutput,
): Promise<void> {
  const { buffers, choice, queue, shape, weights } = parts;
  const { vocab, hidden: inner, logitSoftcap } = shape;
  const chunkCols = chunkColumns(vocab);
  const chunks = weights.head.reduce((sum, part) => sum + Math.ceil(part.rows / chunkCols), 0);
  for (const piece of pieces(parts, rows, 2 * inner * vocab)) {
    const partials = await buffers.acquire(piece.count * chunks * 16, 'loss partials');
    let chunkFirst = 0;
    for (const { buffer: weight, dtype, rows: cols, first: vocabFirst } of weights.head) {
      const tile = choice.tile('headPartials', { dtype, rows: piece.count, inner, cols });
      const place = { xFirst: piece.first, targetFirst: targetFirst + piece.first, vocabFirst, chunkFirst };
      await queue.launch(
        headPartials(dtype, tile, logitSoftcap),
        { weight, x, targets, partials },
        { rows: piece.count, inner, cols, ...place, chunkCols, stride: chunks },
        2 * piece.count * inner * cols,
      );
      chunkFirst += Math.ceil(cols / chunkCols);
    }
    await queue.launch(
      combinePartials,
      { partials, nll, lse },
      { rows: piece.count, chunks, nllFirst: first + piece.first },
      piece.count * chunks * touch,
    );
    buffers.release(partials);
  }
}

/** Logits of the normalized rows x [count, hidden], read back into out [count, vocab]. */
export async function readLogits(parts: PassParts, x: GPUBuffer, count: number, out: Float32Array): Promise<void> {
  const { vocab, logitSoftcap } = parts.shape;
  for (const part of parts.weights.head) {
    const y = await parts.buffers.acquire(count * part.rows * 4, 'logits');
    await project(parts, { matrix: part, bias: null }, x, { buffer: y, first: 0, count });
    const values = new Float32Array(await parts.queue.read(y, count * part.rows * 4));
    parts.buffers.release(y);
    for (let row = 0; row < count; row++) {
      const from = values.subarray(row * part.rows, (row + 1) * part.rows);
      if (logitSoftcap !== undefined)
        from.forEach((z, i) => {
          from[i] = softcap(z, logitSoftcap);
        });
      out.set(from, row * vocab + part.first);
    }
  }
}
