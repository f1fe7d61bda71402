/** @file A linear layer, with the weight as Hugging Face stores it: one row per output. */
import type { Floats } from './arrays';

/** out[rows, cols] = x[rows, inner] · weight[cols, inner]ᵀ + bias[cols]; without a bias where none is given. */
export function linear(x: Floats, weight: Floats, inner: number, bias?: Floats): Float64Array {
  const rows = x.length / inner;
  const cols = weight.length / inner;
  const out = new Float64Array(rows * cols);
  for (let row = 0; row < rows; row++) {
    for (let col = 0; col < cols; col++) {
      let sum = bias?.[col] ?? 0;
      for (let i = 0; i < inner; i++) sum += x[row * inner + i]! * weight[col * inner + i]!;
      out[row * cols + col] = sum;
    }
  }
  return out;
}
