/** @file The backward pass of final norm, head and loss: where the gradient of the residual stream begins. */
import { linearInputGradient } from '../kernels/linearInputGradient';
import { normBackward } from './blockStep';
import type { GradientSink } from './gradientSink';
import type { BatchLoss } from './headLoss';
import { pieces } from './parts';
import type { EngineParts } from './runtime';
import { addHeadGradient } from './vocabularyBackward';
import { chunksOf, type VocabChunk } from './vocabularyChunks';

/** The gradient of the whole head [vocab, hidden], or of the table that it shares with the embedding. */
export interface HeadGradient {
  readonly buffer: GPUBuffer;
  /** It holds the sum over earlier batches. */
  readonly carry: boolean;
}

/**
 * An acquired buffer [rows, hidden] with the gradient of the residual stream `hidden` after the last block.
 * @param most rows of a chunk of the vocabulary
 * @param table the gradient of the whole head, which the batch's part is added to; null where it comes later or is not wanted
 */
export async function headBackward(
  parts: EngineParts,
  hidden: GPUBuffer,
  loss: BatchLoss,
  sink: GradientSink,
  most: number,
  table: HeadGradient | null,
): Promise<GPUBuffer> {
  const { buffers, choice, queue, shape, weights } = parts;
  const { hidden: inner } = shape;
  const { rows } = loss.at;
  const dX = await buffers.acquire(rows * inner * 4, 'gradient behind the final norm');
  const chunks = [...chunksOf(weights.head, most)];
  const widest = Math.max(...chunks.map(({ stride }) => stride));
  const dLogits = await buffers.acquire(rows * widest * 4, 'gradients of logits');
  for (const [index, chunk] of chunks.entries()) {
    const { part, weightFirst, cols, stride } = chunk;
    const flops = 2 * inner * cols;
    for (const piece of pieces(parts, rows, flops)) {
      await loss.logitGradients(chunk, piece, dLogits);
      const { first, count } = piece;
      const sizes = { dtype: part.dtype, rows: count, inner, cols };
      await queue.launch(
        linearInputGradient(part.dtype, choice.backTile('linearInputGradient', sizes, [inner])),
        { weight: part.buffer, dY: dLogits, dX },
        { rows: count, first, cols, stride, weightFirst, inner, accumulate: index > 0 ? 1 : 0 },
        count * flops,
      );
    }
    if (table !== null) await addToTable(parts, chunk, loss, dLogits, table);
  }
  buffers.release(dLogits);
  const dHidden = await buffers.acquire(rows * inner * 4, 'gradient of the stream');
  const place = { role: 'finalNorm', weight: weights.finalNorm, x: hidden, dY: dX } as const;
  await normBackward({ parts, sequences: { rows, seqLen: rows }, sink }, place, dHidden, false);
  buffers.release(dX);
  return dHidden;
}

/** table[chunk] (+)= dLogitsᵀ · x */
async function addToTable(
  parts: EngineParts,
  chunk: VocabChunk,
  loss: BatchLoss,
  dLogits: GPUBuffer,
  { buffer, carry }: HeadGradient,
): Promise<void> {
  const { buffers, queue, shape } = parts;
  const rowBytes = shape.hidden * 4;
  const [at, bytes] = [(chunk.part.first + chunk.weightFirst) * rowBytes, chunk.cols * rowBytes];
  const gradient = await buffers.acquire(bytes, 'gradient of a chunk');
  if (carry) queue.copy(buffer, at, gradient, 0, bytes);
  else queue.clear(gradient);
  await addHeadGradient(parts, chunk, loss, dLogits, gradient);
  queue.copy(gradient, 0, buffer, at, bytes);
  buffers.release(gradient);
}
