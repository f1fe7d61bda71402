/** @file The head in chunks of the vocabulary: the gradients of logits need memory for one chunk at a time. */
import type { VocabPart } from '../weights/gpuWeights';

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
