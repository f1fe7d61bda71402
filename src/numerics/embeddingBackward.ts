/** @file Gradient of the embedding table: every use of a token adds to its row. */
import type { Floats } from './arrays';

/** dWeight[tokens[row], :] += dOut[row, :] for dOut [rows, hidden] and dWeight [vocab, hidden]. */
export function embeddingBackward(
  dOut: Floats,
  tokens: readonly number[],
  hidden: number,
  dWeight: Float64Array,
): void {
  tokens.forEach((token, row) => {
    for (let i = 0; i < hidden; i++) dWeight[token * hidden + i]! += dOut[row * hidden + i]!;
  });
}
