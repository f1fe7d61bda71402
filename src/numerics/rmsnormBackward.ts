/** @file Gradients of the root-mean-square normalisation. */
import type { Floats } from './arrays';
import { inverseRoot } from './rmsnorm';

/**
 * For out = x̂ ⊙ (offset + weight) with x̂ = x / √(mean(x²) + eps), row by row:
 * dWeight[hidden] += Σ_rows dOut ⊙ x̂, and dX[rows, hidden] += (g − x̂ · mean(g ⊙ x̂)) / √(mean(x²) + eps), g = dOut ⊙ (offset + weight).
 */
export function rmsnormBackward(
  dOut: Floats,
  x: Floats,
  weight: Floats,
  eps: number,
  dX: Float64Array,
  dWeight: Float64Array,
  offset = 0,
): void {
  const hidden = weight.length;
  const rows = x.length / hidden;
  for (let row = 0; row < rows; row++) {
    const first = row * hidden;
    let squares = 0;
    for (let i = 0; i < hidden; i++) squares += x[first + i]! ** 2;
    const rstd = inverseRoot(squares / hidden + eps);
    let along = 0;
    for (let i = 0; i < hidden; i++) along += dOut[first + i]! * (offset + weight[i]!) * x[first + i]! * rstd;
    for (let i = 0; i < hidden; i++) {
      const normalized = x[first + i]! * rstd;
      dWeight[i]! += dOut[first + i]! * normalized;
      dX[first + i]! += rstd * (dOut[first + i]! * (offset + weight[i]!) - (normalized * along) / hidden);
    }
  }
}
