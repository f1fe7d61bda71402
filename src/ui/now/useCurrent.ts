/** @file `currentPerplexity` of the store, memoized. */
import { useMemo } from 'react';
import type { PerplexityResult } from '../../report/results';
import { useLab } from '../parts/useLab';
import { basePerplexity, type Current, currentPerplexity } from './current';

export function useCurrent(): { current: Current | null; whole: PerplexityResult | null } {
  const plan = useLab((state) => state.plan);
  const ownWeights = useLab((state) => state.ownWeights);
  const variants = useLab((state) => state.variants);
  const live = useLab((state) => state.live);
  const base = useLab((state) => state.base);
  const comparison = useLab((state) => state.comparison);
  return useMemo(
    () => ({
      current: currentPerplexity({ plan, ownWeights, variants, live, base, comparison }),
      whole: basePerplexity({ base, comparison }),
    }),
    [plan, ownWeights, variants, live, base, comparison],
  );
}
