/** @file Gradients of the gated activation. */
import type { Floats } from './arrays';

/** dUp += dOut ⊙ silu(gate), dGate += dOut ⊙ up ⊙ silu′(gate) with silu′(x) = σ(x)·(1 + x·(1 − σ(x))); all [rows, ffn]. */
export function swigluBackward(dOut: Floats, gate: Floats, up: Floats, dGate: Float64Array, dUp: Float64Array): void {
  for (let i = 0; i < gate.length; i++) {
    const x = gate[i]!;
    const sigmoid = 1 / (1 + Math.exp(-x));
    dGate[i]! += dOut[i]! * up[i]! * sigmoid * (1 + x * (1 - sigmoid));
    dUp[i]! += dOut[i]! * x * sigmoid;
  }
}
