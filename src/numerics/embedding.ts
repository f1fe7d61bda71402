/** @file Token embedding: a row of a table for each token. */
import type { Floats } from './arrays';

/** out[rows, hidden] = weight[tokens[row], :] of weight[vocab, hidden]. */
export function embedding(tokens: readonly number[], weight: Floats, hidden: number): Float64Array {
  const vocab = weight.length / hidden;
  const out = new Float64Array(tokens.length * hidden);
  tokens.forEach((token, row) => {
    if (!(Number.isInteger(token) && token >= 0 && token < vocab)) {
      throw new RangeError(`embedding: expected a token id in [0, ${vocab}), got ${token} at row ${row}`);
    }
    for (let i = 0; i < hidden; i++) out[row * hidden + i] = weight[token * hidden + i]!;
  });
  return out;
}
