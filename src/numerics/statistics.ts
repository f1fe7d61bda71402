/** @file What one says of repeated measurements. */

/** The middle value; the mean of the two middle ones of an even number. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Sample standard deviation (n − 1); 0 of a single value. */
export function standardDeviation(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}

/**
 * Standard error of a share p of n independent questions, as lm-evaluation-harness computes it: sqrt(p (1 − p) / (n − 1)); 0 for a
 * single question.
 */
export const shareError = (p: number, n: number): number => (n > 1 ? Math.sqrt((p * (1 - p)) / (n - 1)) : 0);
