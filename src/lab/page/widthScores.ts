/** @file Scores of heads and neurons as the page keeps them: neurons in typed arrays, which are saved as they are. Pure. */
import type { WidthId } from '../../importance/methods';
import type { LayerShape } from '../../model/shape';
import type { WidthScores } from '../../report/scores';

/** One method's scores. The list of a missing sub-block is empty; low = remove first. */
export interface PageWidthScores extends Omit<WidthScores, 'neurons'> {
  /** Of each layer a score per MLP neuron. */
  readonly neurons: readonly Float64Array[];
}

/** By method: what was measured so far. */
export type WidthScoresByMethod = Partial<Record<WidthId, PageWidthScores>>;

export function toPageScores(scores: WidthScores): PageWidthScores {
  return { ...scores, neurons: scores.neurons.map((layer) => Float64Array.from(layer)) };
}

export function toRecordScores(scores: PageWidthScores): WidthScores {
  return { ...scores, neurons: scores.neurons.map((layer) => Array.from(layer)) };
}

/** The score of every query head of a layer: a method that scores key/value heads gives their score to each of their query heads. */
export function scoresOfHeads(
  { heads, headUnit }: Pick<PageWidthScores, 'heads' | 'headUnit'>,
  { heads: count, kvHeads }: Pick<LayerShape, 'heads' | 'kvHeads'>,
  layer: number,
): number[] {
  const scores = heads[layer] ?? [];
  const perScore = headUnit === 'kvGroup' ? count / kvHeads : 1;
  return Array.from({ length: count }, (_, head) => scores[Math.floor(head / perScore)] ?? Number.NaN);
}

/** Mean score of some heads of a layer; NaN where one has no score. */
export function meanScore(scores: readonly number[], heads: readonly number[]): number {
  return heads.reduce((sum, head) => sum + (scores[head] ?? Number.NaN), 0) / heads.length;
}

/** So many numbers of neurons are saved, 8 bytes each. */
export const mostSavedNeurons = 2 ** 20;

const neuronsOf = ({ neurons }: PageWidthScores): number => neurons.reduce((sum, { length }) => sum + length, 0);

/**
 * The methods whose scores are saved: the chosen one first, then the others, while all their neurons fit. The others are measured
 * again when they are chosen.
 */
export function savedWidthScores(scores: WidthScoresByMethod, chosen: WidthId): WidthScoresByMethod {
  const saved: WidthScoresByMethod = {};
  let total = 0;
  const first = Object.values(scores).toSorted((a, b) => Number(b.method === chosen) - Number(a.method === chosen));
  for (const each of first) {
    total += neuronsOf(each);
    if (total > mostSavedNeurons) break;
    saved[each.method] = each;
  }
  return saved;
}

/** `points` quantiles of the scores that are numbers, from the lowest to the highest; none where there is no number. */
export function profileOf(scores: Float64Array, points: number): number[] {
  const ascending = scores.filter((score) => !Number.isNaN(score)).sort();
  if (ascending.length === 0) return [];
  return Array.from({ length: points }, (_, point) => {
    const at = (point / (points - 1)) * (ascending.length - 1);
    const below = Math.floor(at);
    const low = ascending[below]!;
    const high = ascending[Math.min(below + 1, ascending.length - 1)]!;
    return low === high ? low : low + (high - low) * (at - below);
  });
}
