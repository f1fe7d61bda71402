/** @file Gradients of a linear layer: the same weight, read the other way round. */
import type { Floats } from './arrays';

/**
 * dX[rows, inner] += dOut[rows, cols] · weight[cols, inner], dWeight[cols, inner] += dOutᵀ · x[rows, inner],
 * and dBias[cols] += Σ_rows dOut where the layer has a bias.
 */
export function linearBackward(
  dOut: Floats,
  x: Floats,
  weight: Floats,
  inner: number,
  dX: Float64Array,
  dWeight: Float64Array,
  dBias?: Float64Array,
): void {
  const rows = x.length / inner;
  const cols = weight.length / inner;
  for (let row = 0; row < rows; row++) {
    for (let col = 0; col < cols; col++) {
      const d = dOut[row * cols + col]!;
      if (dBias !== undefined) dBias[col]! += d;
      for (let i = 0; i < inner; i++) {
        dX[row * inner + i]! += d * weight[col * inner + i]!;
        dWeight[col * inner + i]! += d * x[row * inner + i]!;
      }
    }
  }
}
