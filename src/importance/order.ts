/** @file Scores → order of removal, with the + rule. Pure. */

/** Blocks that the `+` rule protects: the first four and the last two (Kim et al. 2024, Taylor+ and Mag+). */
export function protectedBlocks(layers: number): number[] {
  const kept = new Set([0, 1, 2, 3, layers - 2, layers - 1]);
  return [...kept].filter((index) => index >= 0 && index < layers).sort((a, b) => a - b);
}

/**
 * Indices by ascending score, ties to the lower index. A score is for `span` consecutive blocks from its index
 * on; it is left out when it would take a protected block, or when it is not a number.
 */
export function removalOrder(scores: readonly number[], kept: readonly number[] = [], span = 1): number[] {
  return scores
    .map((score, index) => ({ score, index }))
    .filter(({ score, index }) => !Number.isNaN(score) && !kept.some((k) => k >= index && k < index + span))
    .sort((a, b) => a.score - b.score || a.index - b.index)
    .map(({ index }) => index);
}
