/** @file A low-rank addition to a projection in float64: y += scale · (drop(x) · Aᵀ) · Bᵀ, and its gradients. */
import type { Floats } from './arrays';
import { type Dropout, dropped } from './dropout';
import { linear } from './linear';
import { linearBackward } from './linearBackward';

/** A [rank, inner] and B [cols, rank]. */
export interface LowRank {
  readonly a: Floats;
  readonly b: Floats;
  readonly rank: number;
  /** alpha / rank */
  readonly scale: number;
  /** Of x; null for none. */
  readonly dropout: Dropout | null;
}

/** scale · (drop(x) · Aᵀ) · Bᵀ, for x [rows, inner] */
export function lowRank(x: Floats, { a, b, rank, scale, dropout }: LowRank): Float64Array {
  const xa = linear(dropped(x, dropout), a, a.length / rank);
  return linear(xa, b, rank).map((value) => value * scale);
}

/** Adds to dX, dA and dB the gradients from that of the output, dY [rows, cols]. */
export function lowRankBackward(
  dY: Floats,
  x: Floats,
  { a, b, rank, scale, dropout }: LowRank,
  dX: Float64Array,
  dA: Float64Array,
  dB: Float64Array,
): void {
  const inner = a.length / rank;
  const masked = dropped(x, dropout);
  const xa = linear(masked, a, inner);
  const scaled = Float64Array.from(dY, (value) => value * scale);
  const dXa = new Float64Array(xa.length);
  linearBackward(scaled, xa, b, rank, dXa, dB);
  const dMasked = new Float64Array(x.length);
  linearBackward(dXa, masked, a, inner, dMasked, dA);
  dropped(dMasked, dropout).forEach((value, i) => {
    dX[i]! += value;
  });
}

/** weight [cols, inner] + scale · B · A */
export function mergedWeight(weight: Floats, { a, b, rank, scale }: LowRank): Float64Array {
  const inner = a.length / rank;
  return Float64Array.from(weight, (value, at) => {
    const row = Math.floor(at / inner);
    let sum = 0;
    for (let r = 0; r < rank; r++) sum += b[row * rank + r]! * a[r * inner + (at % inner)]!;
    return value + scale * sum;
  });
}
