/** @file Gradients of the next token's negative log-likelihood, through the head to the hidden states. */
import type { Floats } from './arrays';
import { logSumExp } from './crossEntropy';
import { linear } from './linear';
import { linearBackward } from './linearBackward';

/**
 * With dLogits[row] = dOut[row] · (softmax(logits[row]) − onehot(targets[row])):
 * dX[rows, hidden] += dLogits · head[vocab, hidden], and dHead[vocab, hidden] += dLogitsᵀ · x[rows, hidden].
 */
export function crossEntropyBackward(
  dOut: Floats,
  x: Floats,
  head: Floats,
  targets: readonly number[],
  hidden: number,
  dX: Float64Array,
  dHead: Float64Array,
): void {
  targets.forEach((target, row) => {
    const from = x.subarray(row * hidden, (row + 1) * hidden);
    const logits = linear(from, head, hidden);
    const total = logSumExp(logits);
    const dLogits = logits.map((logit, id) => dOut[row]! * (Math.exp(logit - total) - (id === target ? 1 : 0)));
    linearBackward(dLogits, from, head, hidden, dX.subarray(row * hidden, (row + 1) * hidden), dHead);
  });
}
