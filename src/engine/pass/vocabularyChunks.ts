/** @file The head in chunks of the vocabulary: the gradients of logits need memory for one chunk at a time. */

import { headGradient } from '../kernels/headGradient';
import type { VocabPart } from '../weights/gpuWeights';
import type { EngineParts } from './runtime';

/** A batch's targets, and the weight ∂loss/∂nll of each row's loss: 0 for rows that predict nothing. */
export interface LossRows {
  readonly targets: GPUBuffer;
  readonly dNll: GPUBuffer;
  /** Log-sum-exp of each row's logits [rows], which `Forward.nll` writes. */
  readonly lse: GPUBuffer;
  readonly rows: number;
}

/** Rows weightFirst … weightFirst + cols of a part of the embedding or the head. */
export interface VocabChunk {
  readonly part: VocabPart;
  readonly weightFirst: number;
  readonly cols: number;
  /** Columns that a row of its logits takes in memory: cols, up to a multiple of four. */
  readonly stride: number;
}

/** Chunks of at most `most` rows each, in the order of the vocabulary. */
export function* chunksOf(vocabulary: readonly VocabPart[], most: number): Generator<VocabChunk> {
  for (const part of vocabulary) {
    for (let weightFirst = 0; weightFirst < part.rows; weightFirst += most) {
      const cols = Math.min(most, part.rows - weightFirst);
      yield { part, weightFirst, cols, stride: Math.ceil(cols / 4) * 4 };
    }
  }
}

/** Vocabulary rows of a chunk, so that its logits for so many rows of hidden states stay within `bytes`. */
export function chunkRows(rows: number, bytes: number): number {
  return Math.max(8, Math.floor(bytes / (rows * 4 * 8)) * 8);
}

/** Writes rows from `first` of dLogits [·, chunk.stride], the gradients of the logits of x [·, hidden]; computes the logits again. */
export async function logitGradients(
  { choice, shape, queue }: Pick<EngineParts, 'choice' | 'shape' | 'queue'>,
  { part, weightFirst, cols, stride }: VocabChunk,
  x: GPUBuffer,
  { targets, lse, dNll }: LossRows,
  { first, count }: { first: number; count: number },
  dLogits: GPUBuffer,
): Promise<void> {
  const { hidden: inner } = shape;
  const tile = choice.tile('headGradient', { dtype: part.dtype, rows: count, inner, cols });
  await queue.launch(
    headGradient(part.dtype, tile, shape.logitSoftcap),
    { weight: part.buffer, x, targets, lse, dNll, dLogits },
    { rows: count, first, inner, cols, stride, weightFirst, vocabFirst: part.first + weightFirst },
    2 * count * inner * cols,
  );
}
