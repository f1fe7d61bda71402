/** @file The perplexity of the base on the held-out text of a training. Pure. */
import type { LabState } from '../../../lab/page/store';
import type { TrainingChoice } from '../../../lab/page/training';
import type { PerplexityResult } from '../../../report/results';
import { basePerplexity } from '../../now/current';

/** The page's perplexity of the base, if the training is evaluated on the same sequences; null otherwise. */
export function referencesOf(
  { evaluation }: Pick<TrainingChoice, 'evaluation'>,
  state: Pick<LabState, 'base' | 'comparison'>,
): PerplexityResult | null {
  const base = basePerplexity(state);
  if (!base || !evaluation) return null;
  const { text } = base;
  const { corpus = 'evaluation', samples, seqLen, tokenIds, text: own } = evaluation;
  const isSame =
    own === undefined &&
    tokenIds === undefined &&
    corpus === text.corpus &&
    (samples === undefined || samples === text.sequences) &&
    (seqLen === undefined || seqLen === text.seqLen);
  return isSame ? base : null;
}
