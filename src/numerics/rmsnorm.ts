/** @file Root-mean-square normalisation (Zhang and Sennrich, 2019), as LLaMA uses it: no mean, no bias. */
import type { Floats } from './arrays';

/** 1 / √x; NaN where x is not finite: by 0, the limit, a norm would turn a row that overflowed into nothing. */
export const inverseRoot = (x: number): number => (Number.isFinite(x) ? 1 / Math.sqrt(x) : Number.NaN);

/**
 * out[row, i] = x[row, i] / √(mean(x[row]²) + eps) · (offset + weight[i]); x and out [rows, hidden], weight [hidden].
 * With an offset of 1 the weight is stored around 0 (Gemma).
 */
export function rmsnorm(x: Floats, weight: Floats, eps: number, offset = 0): Float64Array {
  const hidden = weight.length;
  const rows = x.length / hidden;
  const out = new Float64Array(x.length);
  for (let row = 0; row < rows; row++) {
    const first = row * hidden;
    let squares = 0;
    for (let i = 0; i < hidden; i++) squares += x[first + i]! ** 2;
    const rstd = inverseRoot(squares / hidden + eps);
    for (let i = 0; i < hidden; i++) out[first + i] = x[first + i]! * rstd * (offset + weight[i]!);
  }
  return out;
}
