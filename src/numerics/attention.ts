/**
 * @file Causal attention with grouped queries (Ainslie et al., 2023): several query heads share a key/value head. With a
 * sliding window (Beltagy et al., 2020) a query sees only the last tokens up to its own.
 */
import type { Floats } from './arrays';
import { softcap } from './softcap';

export interface AttentionSizes {
  heads: number;
  kvHeads: number;
  headDim: number;
  /** Keys that a query sees, its own row included; all up to there when absent. */
  window?: number | undefined;
  /** What q · k is multiplied by; 1/√headDim when absent. */
  attnScale?: number | undefined;
  /** Soft cap of the scaled scores; none when absent. */
  scoreSoftcap?: number | undefined;
}

/** The first key that the query of a row sees. */
export function firstKey(row: number, window: number | undefined): number {
  return window === undefined ? 0 : Math.max(0, row - window + 1);
}

/**
 * out[seqLen, heads, headDim] = softmax(q · kᵀ / √headDim, over the last `window` keys up to the query's own row) · v,
 * or with softcap(q · kᵀ · attnScale, scoreSoftcap) for q · kᵀ / √headDim,
 * with q [seqLen, heads, headDim] and k, v [seqLen, kvHeads, headDim]; query head i reads
 * key/value head ⌊i / (heads / kvHeads)⌋. One sequence.
 */
export function attention(
  q: Floats,
  k: Floats,
  v: Floats,
  { heads, kvHeads, headDim, window, attnScale = 1 / Math.sqrt(headDim), scoreSoftcap }: AttentionSizes,
): Float64Array {
  const seqLen = q.length / (heads * headDim);
  const group = heads / kvHeads;
  const out = new Float64Array(q.length);
  const weights = new Float64Array(seqLen);
  for (let head = 0; head < heads; head++) {
    const kvHead = Math.floor(head / group);
    for (let row = 0; row < seqLen; row++) {
      const query = (row * heads + head) * headDim;
      const first = firstKey(row, window);
      let largest = -Infinity;
      for (let key = first; key <= row; key++) {
        const at = (key * kvHeads + kvHead) * headDim;
        let dot = 0;
        for (let i = 0; i < headDim; i++) dot += q[query + i]! * k[at + i]!;
        weights[key] = softcap(dot * attnScale, scoreSoftcap);
        largest = Math.max(largest, weights[key]!);
      }
      let sum = 0;
      for (let key = first; key <= row; key++) {
        weights[key] = Math.exp(weights[key]! - largest);
        sum += weights[key]!;
      }
      for (let key = first; key <= row; key++) {
        const at = (key * kvHeads + kvHead) * headDim;
        const share = weights[key]! / sum;
        for (let i = 0; i < headDim; i++) out[query + i] = out[query + i]! + share * v[at + i]!;
      }
    }
  }
  return out;
}
