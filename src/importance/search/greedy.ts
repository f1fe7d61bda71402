/**
 * @file Greedy removal: leave out the unit without which the loss is lowest, then look again.
 *
 * SLEB (Song et al. 2024) removes blocks, BlockPruner (Zhong et al. 2024) attentions and MLPs on their own. Every step
 * is one removal sweep from the layers that remain: the part before a candidate is computed once for all of them.
 */

import { LabError, throwIfAborted } from '../../errors';
import type { LayerShape } from '../../model/shape';
import type { TokenSequences } from '../../numerics/tokens';
import type { TaskOptions } from '../../task';
import type { Probe } from '../criterion';
import type { Unit } from '../types';
import type { SearchProgress, SearchStep } from './found';
import { without } from './units';

export interface GreedySearch extends TaskOptions {
  readonly probe: Pick<Probe, 'removalSweep'>;
  /** The whole model's layers. */
  readonly layers: readonly LayerShape[];
  readonly sequences: TokenSequences;
  /** Units to remove at most. */
  readonly count: number;
  /** What may go next from the layers that remain: indices into them. An empty list ends the search. */
  candidates(remaining: readonly LayerShape[]): { layer: number; part: Unit }[];
}

/** Steps in the order of removal. Ties go to the candidate that comes first. */
export async function searchGreedily(search: GreedySearch): Promise<SearchStep[]> {
  const { probe, sequences, count, signal, onProgress } = search;
  const steps: SearchStep[] = [];
  let remaining = [...search.layers];
  while (steps.length < count) {
    throwIfAborted(signal, 'The search');
    const candidates = search.candidates(remaining);
    if (candidates.length === 0) break;
    const found = [...steps];
    const report = (share: number) => {
      const progress: SearchProgress = {
        stage: 'search',
        done: steps.length + share,
        total: count,
        unit: 'removals',
        found,
      };
      onProgress?.(progress);
    };
    const losses = await probe.removalSweep(sequences, candidates, {
      signal,
      layers: remaining,
      onProgress: ({ done, total }) => report(total > 0 ? done / total : 0),
    });
    const best = lowest(losses);
    const { layer, part } = candidates[best]!;
    const { source } = remaining[layer]!;
    const block = search.layers.findIndex((each) => each.source === source);
    steps.push({ layer: block, part, perplexity: Math.exp(losses[best]!) });
    remaining = remaining.flatMap((each, index) => (index === layer ? (without(each, part) ?? []) : [each]));
  }
  const { length } = steps;
  const ended: SearchProgress = { stage: 'search', done: length, total: length, unit: 'removals', found: [...steps] };
  onProgress?.(ended);
  return steps;
}

/** Index of the least loss, the first of equals. Without a unit whose loss is not a number the model is broken: worse than any other. */
function lowest(losses: readonly number[]): number {
  const usable = losses.flatMap((loss, index) => (Number.isNaN(loss) ? [] : [index]));
  const [first] = usable;
  if (first === undefined) {
    throw new LabError(
      'non-finite',
      `The search: the loss without any of the ${losses.length} units that may go next is not a number.`,
      'Does the model as it is have a perplexity? Measure that first.',
    );
  }
  return usable.reduce((least, index) => (losses[index]! < losses[least]! ? index : least), first);
}
