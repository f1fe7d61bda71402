/** @file Gradients of the next token's negative log-likelihood, through the head to the hidden states. */
import type { Floats } from './arrays';
import { cappedLogits, logSumExp } from './crossEntropy';
import { linearBackward } from './linearBackward';
import { softcapSlope } from './softcap';

/**
 * With dLogits[row] = dOut[row] · (softmax(logits[row]) − onehot(targets[row])), times the slope of the soft cap where there is one:
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
  cap?: number,
): void {
  targets.forEach((target, row) => {
    const from = x.subarray(row * hidden, (row + 1) * hidden);
    const logits = cappedLogits(from, head, hidden, cap);
    const total = logSumExp(logits);
    const dLogits = logits.map(
      (logit, id) => dOut[row]! * (Math.exp(logit - total) - (id === target ? 1 : 0)) * softcapSlope(logit, cap),
    );
    linearBackward(dLogits, from, head, hidden, dX.subarray(row * hidden, (row + 1) * hidden), dHead);
  });
}
