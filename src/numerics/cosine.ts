/** @file Cosine similarity of two vectors, the measure behind block influence and angular distance. */
import type { Floats } from './arrays';

/** a · b / (|a| · |b|); 0 when either vector is zero, NaN when a value is not finite. */
export function cosine(a: Floats, b: Floats): number {
  let dot = 0;
  let squaresA = 0;
  let squaresB = 0;
  for (let i = 0; i < a.length; i++) {
    dot += a[i]! * b[i]!;
    squaresA += a[i]! ** 2;
    squaresB += b[i]! ** 2;
  }
  const norms = Math.sqrt(squaresA) * Math.sqrt(squaresB);
  // Asked this way round, so that NaN is not taken for a zero vector.
  return norms === 0 ? 0 : dot / norms;
}

/** cosine of each pair of rows of a and b, both [rows, hidden]. */
export function cosineRows(a: Floats, b: Floats, hidden: number): Float64Array {
  return Float64Array.from({ length: a.length / hidden }, (_, row) =>
    cosine(a.subarray(row * hidden, (row + 1) * hidden), b.subarray(row * hidden, (row + 1) * hidden)),
  );
}
