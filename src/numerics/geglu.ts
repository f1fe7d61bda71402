/** @file The gated activation with GELU (Shazeer, 2020), by the tanh formula of Hendrycks and Gimpel (2016). */
import type { Floats } from './arrays';

const slope = Math.sqrt(2 / Math.PI);
const cubic = 0.044715;

/** tanh(√(2/π) · (x + 0.044715 · x³)), near 2Φ(x) − 1 of the normal distribution. */
function tanhOf(x: number): number {
  return Math.tanh(slope * (x + cubic * x ** 3));
}

/** x · (1 + tanh(√(2/π) · (x + 0.044715 · x³))) / 2 */
export function geluTanh(x: number): number {
  return 0.5 * x * (1 + tanhOf(x));
}

/** (1 + t + x · t′) / 2 with t = tanh(…) of x, t′ = (1 − t²) · √(2/π) · (1 + 3 · 0.044715 · x²) */
export function geluTanhSlope(x: number): number {
  const t = tanhOf(x);
  return 0.5 * (1 + t + x * (1 - t * t) * slope * (1 + 3 * cubic * x * x));
}

/** out = gelu(gate) ⊙ up; all [rows, ffn]. */
export function geglu(gate: Floats, up: Floats): Float64Array {
  return Float64Array.from(gate, (value, index) => geluTanh(value) * up[index]!);
}
