/** @file The gated activation of LLaMA's MLP (Shazeer, 2020). */
import type { Floats } from './arrays';

/** x · sigmoid(x) */
export function silu(x: number): number {
  return x / (1 + Math.exp(-x));
}

/** out = silu(gate) ⊙ up; all [rows, ffn]. */
export function swiglu(gate: Floats, up: Floats): Float64Array {
  return Float64Array.from(gate, (value, index) => silu(value) * up[index]!);
}
