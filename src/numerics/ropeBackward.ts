/** @file Gradient of the rotary embedding: a rotation is orthogonal, so it rotates back by the same angle. */
import type { Floats } from './arrays';
import { type RopeShape, rotaryTable } from './rope';

/**
 * dX[seqLen, heads, headDim] += dOut rotated by −angle, times the attention factor; the row is the position, counted
 * from 0.
 */
export function ropeBackward(dOut: Floats, heads: number, headDim: number, rope: RopeShape, dX: Float64Array): void {
  const half = headDim / 2;
  const seqLen = dOut.length / (heads * headDim);
  const table = rotaryTable(rope, headDim, seqLen);
  for (let row = 0; row < seqLen; row++) {
    for (let head = 0; head < heads; head++) {
      const first = (row * heads + head) * headDim;
      for (let pair = 0; pair < half; pair++) {
        const cos = table[(row * half + pair) * 2]!;
        const sin = table[(row * half + pair) * 2 + 1]!;
        const a = dOut[first + pair]!;
        const b = dOut[first + pair + half]!;
        dX[first + pair]! += a * cos + b * sin;
        dX[first + pair + half]! += b * cos - a * sin;
      }
    }
  }
}
