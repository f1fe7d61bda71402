/** @file Negative log-likelihood of the next token, from hidden states and the head. */
import type { Floats } from './arrays';
import { linear } from './linear';
import { softcap } from './softcap';

/** log Σ exp(values), with the largest subtracted first so that nothing overflows. */
export function logSumExp(values: Floats): number {
  let largest = -Infinity;
  for (const value of values) largest = Math.max(largest, value);
  let sum = 0;
  for (const value of values) sum += Math.exp(value - largest);
  return largest + Math.log(sum);
}

/** logits[rows, vocab] = x[rows, hidden] · head[vocab, hidden]ᵀ, each within the soft cap where there is one. */
export function cappedLogits(x: Floats, head: Floats, hidden: number, cap?: number): Float64Array {
  return linear(x, head, hidden).map((logit) => softcap(logit, cap));
}

/** nll[row] = logSumExp(logits[row]) − logits[row, targets[row]] in nats, logits = cappedLogits(x[rows, hidden], head[vocab, hidden]). */
export function crossEntropy(
  x: Floats,
  head: Floats,
  targets: readonly number[],
  hidden: number,
  cap?: number,
): Float64Array {
  const vocab = head.length / hidden;
  return Float64Array.from(targets, (target, row) => {
    if (!(Number.isInteger(target) && target >= 0 && target < vocab)) {
      throw new RangeError(`crossEntropy: expected a target in [0, ${vocab}), got ${target} at row ${row}`);
    }
    const logits = cappedLogits(x.subarray(row * hidden, (row + 1) * hidden), head, hidden, cap);
    return logSumExp(logits) - logits[target]!;
  });
}
