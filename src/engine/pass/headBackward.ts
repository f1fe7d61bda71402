/** @file The backward pass of final norm, head and loss: where the gradient of the residual stream begins. */
import { linearInputGradient } from '../kernels/linearInputGradient';
import { normBackward } from './blockStep';
import type { GradientSink } from './gradientSink';
import type { BatchLoss } from './headLoss';
import { pieces } from './parts';
import type { EngineParts } from './runtime';
import { chunkRows, chunksOf } from './vocabularyChunks';

/**
 * An acquired buffer [rows, hidden] with the gradient of the residual stream `hidden` after the last block.
 * @param logitBytes memory for the gradients of one chunk's logits
 */
export async function headBackward(
  parts: EngineParts,
  hidden: GPUBuffer,
  loss: BatchLoss,
  sink: GradientSink,
  logitBytes: number,
): Promise<GPUBuffer> {
  const { buffers, choice, queue, shape, weights } = parts;
  const { hidden: inner } = shape;
  const { rows } = loss.at;
  const dX = await buffers.acquire(rows * inner * 4, 'gradient behind the final norm');
  const chunks = [...chunksOf(weights.head, chunkRows(rows, logitBytes))];
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
  }
  buffers.release(dLogits);
  const dHidden = await buffers.acquire(rows * inner * 4, 'gradient of the stream');
  const place = { role: 'finalNorm', weight: weights.finalNorm, x: hidden, dY: dX } as const;
  await normBackward({ parts, sequences: { rows, seqLen: rows }, sink }, place, dHidden, false);
  buffers.release(dX);
  return dHidden;
}
