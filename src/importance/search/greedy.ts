/**
 * @file Greedy removal: remove the unit without which the loss is lowest, measure the rest again, repeat.
 *
 * SLEB (Song et al. 2024) removes blocks, BlockPruner (Zhong et al. 2024) single attentions and MLPs. Every step
 * is one removal sweep from the layers that remain: the part before a candidate is computed once for all of them.
 */

import { LabError, throwIfAborted } from '../../errors';
import type { LayerShape } from '../../model/shape';
import { type DepthUnit, removeFromLayers, unitToJson } from '../../model/unit';
import type { TokenSequences } from '../../numerics/tokens';
import type { TaskOptions } from '../../task';
import type { Probe } from '../method';
import type { SearchProgress, SearchStep } from './found';

export interface GreedySearch extends TaskOptions {
  readonly probe: Pick<Probe, 'removalSweep'>;
  /** The base's layers. */
  readonly layers: readonly LayerShape[];
  readonly sequences: TokenSequences;
  /** Units to remove at most. */
  readonly count: number;
  /** The units that the next step may remove; they count in the list of remaining layers. An empty list ends the search. */
  candidates(remaining: readonly LayerShape[]): DepthUnit[];
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
    const unit = candidates[best]!;
    const { source } = remaining[unit.layer]!;
    const layer = search.layers.findIndex((each) => each.source === source);
    steps.push({ ...unitToJson({ ...unit, layer }), perplexity: Math.exp(losses[best]!) });
    remaining = removeFromLayers(remaining, [unit]);
  }
  const { length } = steps;
  const ended: SearchProgress = { stage: 'search', done: length, total: length, unit: 'removals', found: [...steps] };
  onProgress?.(ended);
  return steps;
}

/** Index of the lowest loss, the first of equals. A loss that is not a number means a broken model, which is worse than any other. */
function lowest(losses: readonly number[]): number {
  const usable = losses.flatMap((loss, index) => (Number.isNaN(loss) ? [] : [index]));
  const [first] = usable;
  if (first === undefined) {
    throw new LabError(
      'non-finite',
      `The search: the loss without any of the ${losses.length} units that may be removed next is not a number.`,
      'Does the model as it is have a perplexity? Measure that first.',
    );
  }
  return usable.reduce((least, index) => (losses[index]! < losses[least]! ? index : least), first);
}
