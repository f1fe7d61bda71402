/** @file Gradients of the gated activation with GELU. */
import type { Floats } from './arrays';
import { geluTanh, geluTanhSlope } from './geglu';

/** dUp += dOut ⊙ gelu(gate), dGate += dOut ⊙ up ⊙ gelu′(gate); all [rows, ffn]. */
export function gegluBackward(dOut: Floats, gate: Floats, up: Floats, dGate: Float64Array, dUp: Float64Array): void {
  for (let i = 0; i < gate.length; i++) {
    dGate[i]! += dOut[i]! * up[i]! * geluTanhSlope(gate[i]!);
    dUp[i]! += dOut[i]! * geluTanh(gate[i]!);
  }
}
