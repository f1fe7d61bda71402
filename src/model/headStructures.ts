/**
 * @file Which query heads of an attention can be removed together. Key/value heads that stay need equally many query
 * heads each, so that one goes with its whole group, or every group loses the same number.
 */
import type { LayerShape } from './shape';

/** Why no single head of an attention can be removed, as a sentence; null where heads can be. */
export function whyHeadsStay({ qkNorm, heads }: LayerShape): string | null {
  if (heads < 2) return 'the attention has one head: removing it removes the attention.';
  if (qkNorm === 'all') {
    return 'the norms of queries and keys are computed over all heads together, so that the other heads change if one is removed.';
  }
  return null;
}

/** The query heads that read each key/value head, in order: [kvHeads][heads / kvHeads]. */
export function headGroups({ heads, kvHeads }: Pick<LayerShape, 'heads' | 'kvHeads'>): number[][] {
  const size = heads / kvHeads;
  return Array.from({ length: kvHeads }, (_, group) => Array.from({ length: size }, (_, at) => group * size + at));
}
