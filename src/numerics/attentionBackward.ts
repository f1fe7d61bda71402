/** @file Gradients of causal grouped-query attention, with or without a window and a soft cap. */
import type { Floats } from './arrays';
import { type AttentionSizes, firstKey } from './attention';
import { softcap, softcapSlope } from './softcap';

/**
 * For out = P · v with P = softmax(q · kᵀ / √headDim), query by query and head by head:
 * dV += Pᵀ · dOut, dP = dOut · vᵀ, dS = P ⊙ (dP − Σ P ⊙ dP), dQ += dS · k / √headDim, dK += dSᵀ · q / √headDim;
 * a soft cap multiplies dS by its slope, and attnScale stands for 1/√headDim.
 * q, dOut, dQ [seqLen, heads, headDim]; k, v, dK, dV [seqLen, kvHeads, headDim]. One sequence.
 */
export function attentionBackward(
  dOut: Floats,
  q: Floats,
  k: Floats,
  v: Floats,
  { heads, kvHeads, headDim, window, attnScale = 1 / Math.sqrt(headDim), scoreSoftcap }: AttentionSizes,
  dQ: Float64Array,
  dK: Float64Array,
  dV: Float64Array,
): void {
  const seqLen = q.length / (heads * headDim);
  const group = heads / kvHeads;
  const dot = (a: Floats, aFirst: number, b: Floats, bFirst: number): number => {
    let sum = 0;
    for (let i = 0; i < headDim; i++) sum += a[aFirst + i]! * b[bFirst + i]!;
    return sum;
  };
  for (let head = 0; head < heads; head++) {
    const kvHead = Math.floor(head / group);
    for (let row = 0; row < seqLen; row++) {
      const query = (row * heads + head) * headDim;
      const first = firstKey(row, window);
      const keys = Array.from({ length: row + 1 - first }, (_, i) => ((first + i) * kvHeads + kvHead) * headDim);
      const scores = keys.map((at) => softcap(dot(q, query, k, at) * attnScale, scoreSoftcap));
      const largest = Math.max(...scores);
      const powers = scores.map((score) => Math.exp(score - largest));
      const sum = powers.reduce((a, b) => a + b, 0);
      const shares = powers.map((power) => power / sum);
      const dShares = keys.map((at) => dot(dOut, query, v, at));
      const mean = shares.reduce((total, share, key) => total + share * dShares[key]!, 0);
      keys.forEach((at, key) => {
        const share = shares[key]!;
        const dScore = share * (dShares[key]! - mean) * softcapSlope(scores[key]!, scoreSoftcap) * attnScale;
        for (let i = 0; i < headDim; i++) {
          dV[at + i]! += share * dOut[query + i]!;
          dQ[query + i]! += dScore * k[at + i]!;
          dK[at + i]! += dScore * q[query + i]!;
        }
      });
    }
  }
}
