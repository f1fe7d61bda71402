/** @file Negative log-likelihood of the next token, from hidden states and the head. */
import type { Floats } from './arrays';
import { linear } from './linear';

/** log Σ exp(values), with the largest subtracted first so that nothing overflows. */
export function logSumExp(values: Floats): number {
  let largest = -Infinity;
  for (const value of values) largest = Math.max(largest, value);
  let sum = 0;
  for (const value of values) sum += Math.exp(value - largest);
  return largest + Math.log(sum);
}

/** nll[row] = logSumExp(logits[row]) − logits[row, targets[row]] in nats, logits = x[rows, hidden] · head[vocab, hidden]ᵀ. */
export function crossEntropy(x: Floats, head: Floats, targets: readonly number[], hidden: number): Float64Array {
  const vocab = head.length / hidden;
  return Float64Array.from(targets, (target, row) => {
    if (!(Number.isInteger(target) && target >= 0 && target < vocab)) {
      throw new RangeError(`crossEntropy: expected a target in [0, ${vocab}), got ${target} at row ${row}`);
    }
    const logits = linear(x.subarray(row * hidden, (row + 1) * hidden), head, hidden);
    return logSumExp(logits) - logits[target]!;
  });
}
