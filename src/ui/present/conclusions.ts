/** @file What a state's measurements show, in at most three sentences. Pure. */
import type { LabState } from '../../lab/page/store';
import { verdictsOf } from '../../report/verdict';
import { basePerplexity } from '../now/current';
import { headlineOf } from '../report/headline';

/**
 * Quality in the report's sentence, then speed at the smallest batch and memory at the largest. Times of a software adapter
 * conclude nothing.
 */
export function conclusions(state: Pick<LabState, 'comparison' | 'base' | 'model' | 'scores'>): string[] {
  const verdicts = verdictsOf(state.comparison);
  const emulated = state.comparison.some(({ latency }) => latency.some(({ device }) => device.software));
  const speed = emulated ? undefined : verdicts.find(({ measure }) => measure === 'latency');
  const memory = verdicts.findLast(({ measure }) => measure === 'memory');
  const quality = headlineOf({ ...state, base: basePerplexity(state) });
  const found = [
    ...(quality === null ? [] : [quality]),
    ...[speed, memory].flatMap((verdict) => verdict?.headline ?? []),
  ];
  return found.length > 0 ? found : ['Nothing is measured yet.'];
}
