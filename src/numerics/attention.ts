/** @file Causal attention with grouped queries (Ainslie et al., 2023): several query heads share a key/value head. */
import type { Floats } from './arrays';

export interface AttentionSizes {
  heads: number;
  kvHeads: number;
  headDim: number;
}

/**
 * out[seqLen, heads, headDim] = softmax(q · kᵀ / √headDim, over keys up to the query's own row) · v,
 * with q [seqLen, heads, headDim] and k, v [seqLen, kvHeads, headDim]; query head i reads
 * key/value head ⌊i / (heads / kvHeads)⌋. One sequence.
 */
export function attention(q: Floats, k: Floats, v: Floats, { heads, kvHeads, headDim }: AttentionSizes): Float64Array {
  const seqLen = q.length / (heads * headDim);
  const group = heads / kvHeads;
  const out = new Float64Array(q.length);
  const weights = new Float64Array(seqLen);
  for (let head = 0; head < heads; head++) {
    const kvHead = Math.floor(head / group);
    for (let row = 0; row < seqLen; row++) {
      const query = (row * heads + head) * headDim;
      let largest = -Infinity;
      for (let key = 0; key <= row; key++) {
        const at = (key * kvHeads + kvHead) * headDim;
        let dot = 0;
        for (let i = 0; i < headDim; i++) dot += q[query + i]! * k[at + i]!;
        weights[key] = dot / Math.sqrt(headDim);
        largest = Math.max(largest, weights[key]!);
      }
      let sum = 0;
      for (let key = 0; key <= row; key++) {
        weights[key] = Math.exp(weights[key]! - largest);
        sum += weights[key]!;
      }
      for (let key = 0; key <= row; key++) {
        const at = (key * kvHeads + kvHead) * headDim;
        const share = weights[key]! / sum;
        for (let i = 0; i < headDim; i++) out[query + i] = out[query + i]! + share * v[at + i]!;
      }
    }
  }
  return out;
}
