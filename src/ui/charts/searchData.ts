/** @file Searches as paths: perplexity on the calibration tokens against the parameters kept. Pure. */

import type { EvolutionId, SearchId } from '../../importance/methods';
import type { SearchStep } from '../../importance/search/found';
import type { DepthMode } from '../../lab/page/store';
import { keptAfterSteps, stepsIn } from '../../lab/page/subBlocks';
import { applyPlan, estimate } from '../../pruning/apply';
import type { PruningPlan } from '../../pruning/plan';
import { samePlan } from '../../pruning/plan';
import { planOfSteps } from '../../pruning/select';
import type { ModelInfo } from '../../report/facts';
import type { EvolutionResult } from '../../report/searches';
import { percent, perplexity } from '../parts/format';
import { evolutionItem, searchMenu } from '../searches/searchMenu';
import { stepName, stepShort } from '../searches/steps';
import type { ChartTable } from './frame/tableTwin';

export interface PathPoint {
  key: string;
  /** 0 for the base; for a set, the number of its units. */
  step: number;
  /** '7', '7a', '7m'; '' for the base. */
  short: string;
  /** 'step 3: without attention of block 7'. */
  name: string;
  /** Percent of the parameters that are kept. */
  kept: number;
  perplexity: number;
  /** True if the edited plan equals this step's. */
  now: boolean;
}

export interface SearchPath {
  id: SearchId | EvolutionId;
  /** What a point removes. */
  units: DepthMode | 'set';
  label: string;
  points: PathPoint[];
}

/**
 * One path per search with a result. It starts at the base if the base's perplexity on the same tokens is known.
 * Infinite perplexities are left out.
 */
export function searchPaths(
  model: ModelInfo,
  plan: PruningPlan | null,
  stepsOf: (search: SearchId) => readonly SearchStep[],
  whole?: number,
): SearchPath[] {
  return searchMenu.flatMap(({ id, label, mode }) => {
    const steps = stepsOf(id);
    if (steps.length === 0) return [];
    const applied = plan && stepsIn(plan, steps);
    const points = keptAfterSteps(model.shape, steps).flatMap((kept, index): PathPoint[] => {
      const step = steps[index]!;
      if (!Number.isFinite(step.perplexity)) return [];
      return [
        {
          key: `${id} ${index + 1}`,
          step: index + 1,
          short: stepShort(step),
          name: `${label}, step ${index + 1}: without ${stepName(step)}`,
          kept: kept * 100,
          perplexity: step.perplexity,
          now: applied === index + 1,
        },
      ];
    });
    if (whole === undefined) return [{ id, label, units: mode, points }];
    const start = { key: `${id} 0`, step: 0, short: '', name: 'original model', kept: 100, perplexity: whole };
    return [{ id, label, units: mode, points: [{ ...start, now: applied === 0 }, ...points] }];
  });
}

/** The path of a finished evolutionary search: one point, because it removes its set in one step. */
export function evolutionPath(
  model: ModelInfo,
  plan: PruningPlan | null,
  result: EvolutionResult | null,
): SearchPath[] {
  if (!evolutionItem || !result || result.perplexity === null || !Number.isFinite(result.perplexity)) return [];
  const { id, label } = evolutionItem;
  const { removed } = result;
  const set = planOfSteps(model.id, removed);
  const point = {
    key: id,
    step: removed.length,
    short: removed.map(stepShort).join('·'),
    name: `${label}: without ${removed.map(stepName).join(', ')}`,
    kept: (1 - estimate(model.shape, applyPlan(model.shape, set)).ratio) * 100,
    perplexity: result.perplexity,
    now: plan !== null && samePlan(set, plan),
  };
  return [{ id, label, units: 'set', points: [point] }];
}

export function searchTable(paths: readonly SearchPath[]): ChartTable {
  return {
    head: ['step', 'removes', 'kept', 'perplexity'],
    rows: paths.flatMap(({ label, points }) =>
      points.map(({ key, step, short, kept, perplexity: value }) => ({
        key,
        cells: [`${label}, ${step}`, short || '–', percent(kept / 100), perplexity(value)],
      })),
    ),
  };
}
