/** @file Kullback-Leibler divergence of two models' next-token distributions, from their hidden states and one head. */
import type { Floats } from './arrays';
import { cappedLogits, logSumExp } from './crossEntropy';

/**
 * kl[row] = Σ_v p(v) (log p(v) − log q(v)) in nats, p = softmax(x[row] · headᵀ), q = softmax(y[row] · headᵀ).
 * @param x [rows, hidden], final-normalized, of the model that is compared with
 * @param y [rows, hidden], final-normalized, of the other
 * @param head [vocab, hidden]
 * @param cap of the logits of both; none when absent
 */
export function klDivergence(x: Floats, y: Floats, head: Floats, hidden: number, cap?: number): Float64Array {
  return Float64Array.from({ length: x.length / hidden }, (_, row) => {
    const p = cappedLogits(x.subarray(row * hidden, (row + 1) * hidden), head, hidden, cap);
    const q = cappedLogits(y.subarray(row * hidden, (row + 1) * hidden), head, hidden, cap);
    const [logP, logQ] = [logSumExp(p), logSumExp(q)];
    return p.reduce((sum, logit, v) => sum + Math.exp(logit - logP) * (logit - logP - (q[v]! - logQ)), 0);
  });
}
