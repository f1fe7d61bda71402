/** @file What a weight's columns hold. */

/** Of every column j of a weight [rows, columns]. */
export interface ColumnSums {
  /** Σ_i |W_ij| */
  readonly absolute: Float64Array<ArrayBuffer>;
  /** Σ_i W_ij² */
  readonly squares: Float64Array<ArrayBuffer>;
  /** Of the weight. */
  readonly rows: number;
}

export function columnSums(weight: ArrayLike<number>, columns: number): ColumnSums {
  const absolute = new Float64Array(columns);
  const squares = new Float64Array(columns);
  for (let i = 0; i < weight.length; i++) {
    const value = weight[i]!;
    absolute[i % columns]! += Math.abs(value);
    squares[i % columns]! += value * value;
  }
  return { absolute, squares, rows: weight.length / columns };
}
