/** @file Least squares with non-negative coefficients, by active sets, in float64. */

/** A column whose part that earlier columns do not explain is shorter than this share of it is taken for dependent. */
const dependent = 1e-7;

/**
 * The x ≥ 0 that minimizes ‖A x − b‖² (Lawson & Hanson 1974, Solving Least Squares Problems, chapter 23).
 *
 * Columns that other ones already explain get 0, the later ones first; so do columns of zeros.
 * @param rows A: [rows][columns]
 * @param values b: [rows]
 * @returns x: [columns]
 * @throws RangeError for numbers that are not finite, and for rows of different lengths
 */
export function nonNegativeLeastSquares(rows: readonly (readonly number[])[], values: readonly number[]): number[] {
  const columns = rows[0]?.length ?? 0;
  if (rows.length !== values.length || rows.some(({ length }) => length !== columns)) {
    throw new RangeError('nonNegativeLeastSquares: expected rows of one length, and a value for each');
  }
  if (![...rows.flat(), ...values].every(Number.isFinite)) {
    throw new RangeError('nonNegativeLeastSquares: expected finite numbers');
  }
  const norms = Array.from({ length: columns }, (_, j) => Math.hypot(...rows.map((row) => row[j]!)));
  const scaled = norms.map((norm, j) => rows.map((row) => (norm > 0 ? row[j]! / norm : 0)));
  const dot = (one: readonly number[], other: readonly number[]) =>
    one.reduce((sum, value, i) => sum + value * other[i]!, 0);
  const gram = scaled.map((one) => scaled.map((other) => dot(one, other)));
  const target = scaled.map((column) => dot(column, values));
  const scale = Math.max(...target.map(Math.abs), Number.MIN_VALUE);

  let x = new Array<number>(columns).fill(0);
  let passive: number[] = [];
  /** Columns that cannot join the passive ones as these are. */
  let refused = new Set<number>();
  for (let round = 0; round < 10 * columns + 10; round++) {
    const slope = target.map((value, j) => value - gram[j]!.reduce((sum, g, k) => sum + g * x[k]!, 0));
    const free = slope.flatMap((value, j) =>
      passive.includes(j) || refused.has(j) || norms[j] === 0 || value <= 1e-12 * scale ? [] : [j],
    );
    if (free.length === 0) break;
    const next = free.reduce((best, j) => (slope[j]! > slope[best]! ? j : best));
    if (solve(gram, target, [...passive, next]) === null) {
      refused.add(next);
      continue;
    }
    passive = [...passive, next];
    refused = new Set();
    for (;;) {
      const solved = solve(gram, target, passive);
      if (solved === null) break;
      const negative = passive.filter((_, at) => solved[at]! <= 0);
      if (negative.length === 0) {
        x = new Array<number>(columns).fill(0);
        passive.forEach((j, at) => {
          x[j] = solved[at]!;
        });
        break;
      }
      // Towards the solution, as far as every coefficient stays non-negative.
      const steps = passive.flatMap((j, at) => (solved[at]! <= 0 ? [x[j]! / (x[j]! - solved[at]!)] : []));
      const step = Math.min(...steps.map((value) => (Number.isFinite(value) ? value : 0)));
      x = x.map((value, j) => {
        const at = passive.indexOf(j);
        return at < 0 ? 0 : value + step * (solved[at]! - value);
      });
      const left = passive.filter((j) => x[j]! > 1e-14 * scale);
      for (const j of passive) if (!left.includes(j)) x[j] = 0;
      // The column that just came may be the one that leaves: it must not come again at once.
      if (!left.includes(next)) refused.add(next);
      passive = left;
    }
  }
  return x.map((value, j) => (norms[j]! > 0 ? value / norms[j]! : 0));
}

/** Solves the normal equations of some columns, by Cholesky; null where they depend on one another. */
function solve(
  gram: readonly (readonly number[])[],
  target: readonly number[],
  columns: readonly number[],
): number[] | null {
  const lower: number[][] = [];
  for (const [i, j] of columns.entries()) {
    const row: number[] = [];
    for (let k = 0; k < i; k++) {
      const sum = row.reduce((total, value, at) => total + value * lower[k]![at]!, 0);
      row.push((gram[j]![columns[k]!]! - sum) / lower[k]![k]!);
    }
    const rest = gram[j]![j]! - row.reduce((total, value) => total + value * value, 0);
    if (!(rest > dependent ** 2 * gram[j]![j]!) || !(rest > 1e-13)) return null;
    lower.push([...row, Math.sqrt(rest)]);
  }
  const forward: number[] = [];
  for (const [i, j] of columns.entries()) {
    const sum = forward.reduce((total, value, k) => total + value * lower[i]![k]!, 0);
    forward.push((target[j]! - sum) / lower[i]![i]!);
  }
  const x = new Array<number>(columns.length).fill(0);
  for (let i = columns.length - 1; i >= 0; i--) {
    let sum = forward[i]!;
    for (let k = i + 1; k < columns.length; k++) sum -= lower[k]![i]! * x[k]!;
    x[i] = sum / lower[i]![i]!;
  }
  return x;
}
