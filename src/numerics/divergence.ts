/** @file Kullback-Leibler divergence of two models' next-token distributions, from their hidden states and one head. */
import type { Floats } from './arrays';
import { logSumExp } from './crossEntropy';
import { linear } from './linear';

/**
 * kl[row] = Σ_v p(v) (log p(v) − log q(v)) in nats, p = softmax(x[row] · headᵀ), q = softmax(y[row] · headᵀ).
 * @param x [rows, hidden], final-normed, of the model that is compared with
 * @param y [rows, hidden], final-normed, of the other
 * @param head [vocab, hidden]
 */
export function klDivergence(x: Floats, y: Floats, head: Floats, hidden: number): Float64Array {
  return Float64Array.from({ length: x.length / hidden }, (_, row) => {
    const p = linear(x.subarray(row * hidden, (row + 1) * hidden), head, hidden);
    const q = linear(y.subarray(row * hidden, (row + 1) * hidden), head, hidden);
    const [logP, logQ] = [logSumExp(p), logSumExp(q)];
    return p.reduce((sum, logit, v) => sum + Math.exp(logit - logP) * (logit - logP - (q[v]! - logQ)), 0);
  });
}
