/** @file Angular distance over n consecutive blocks, at the last token of each sample. */
import type { ScoreMethod } from '../method';

/** arccos(cos(a, b)) / π; the cosine is clamped, since rounding can push it past 1. */
export function angularDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let dot = 0;
  let aa = 0;
  let bb = 0;
  for (let i = 0; i < a.length; i++) {
    dot += a[i]! * b[i]!;
    aa += a[i]! * a[i]!;
    bb += b[i]! * b[i]!;
  }
  const cosine = dot / Math.sqrt(aa * bb);
  return Math.acos(Math.min(1, Math.max(-1, cosine))) / Math.PI;
}

/**
 * Mean over samples of the distance between boundaries l and l + n, for each start l.
 * @param lastTokens [samples][layers + 1] hidden states
 */
export function angularScores(lastTokens: readonly (readonly ArrayLike<number>[])[], n: number): number[] {
  const boundaries = lastTokens[0]?.length ?? 0;
  const starts = Math.max(0, boundaries - n);
  return Array.from({ length: starts }, (_, start) => {
    const sum = lastTokens.reduce((total, states) => total + angularDistance(states[start]!, states[start + n]!), 0);
    return sum / lastTokens.length;
  });
}

const angular: ScoreMethod = {
  async score({ probe, sequences, span, signal, onProgress }) {
    const { lastTokens } = await probe!.blockStatistics(sequences, { signal, onProgress });
    return angularScores(lastTokens, span);
  },
  fromCombinedPass: ({ statistics }, { span }) => angularScores(statistics.lastTokens, span),
};

export default angular;
