/** @file What a state's measurements show, in at most three sentences. Pure. */
import type { LabState } from '../../lab/page/store';
import { verdictsOf } from '../../report/verdict';
import { basePerplexity } from '../now/current';
import { integer, perplexity } from '../parts/format';

/** Quality, speed at the smallest batch, memory at the largest. */
export function conclusions(state: Pick<LabState, 'comparison' | 'base'>): string[] {
  const verdicts = verdictsOf(state.comparison);
  const chosen = [
    verdicts.find(({ measure }) => measure === 'perplexity'),
    verdicts.find(({ measure }) => measure === 'latency'),
    verdicts.findLast(({ measure }) => measure === 'memory'),
  ];
  const found = chosen.flatMap((verdict) => (verdict ? [verdict.headline] : []));
  if (found.length > 0) return found;
  const base = basePerplexity(state);
  return base
    ? [
        `The original model has a perplexity of ${perplexity(base.perplexity)} on ${integer(base.tokens)} held-out tokens.`,
      ]
    : ['Nothing is measured yet.'];
}
