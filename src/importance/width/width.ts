/** @file What the width methods share. */

/** Sums of consecutive runs of `size` values: channels of a head, say. */
export function sumRuns(values: ArrayLike<number>, size: number): number[] {
  const sums = new Array<number>(values.length / size).fill(0);
  for (let i = 0; i < values.length; i++) sums[Math.floor(i / size)]! += values[i]!;
  return sums;
}
