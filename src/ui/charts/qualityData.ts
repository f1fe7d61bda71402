/** @file Perplexity of variants against the share of parameters kept, as points. Pure. */

import { sameSelection, selectionOf } from '../../lab/page/selection';
import { hasOwnWeights, shownVariant } from '../../lab/page/shownVariant';
import type { LabState } from '../../lab/page/store';
import { emptyPlan, type PruningPlan } from '../../pruning/plan';
import type { PerplexityResult, Runtime } from '../../report/results';
import { type CurrentState, evaluatedText, rowPerplexity } from '../now/current';
import { percent, perplexity as perplexityText } from '../parts/format';
import { isWhole, planShort, producedBy } from '../parts/names';
import { type Kind, kindOf } from './compare/variantPoints';
import type { ChartTable } from './frame/tableTwin';

export interface QualityPoint {
  /** Id of the variant; 'edited' for a plan that is no variant yet. */
  key: string;
  /** Beside the point: 'original model', '−5, 6', the name of a variant with weights of its own. */
  label: string;
  /** In a table: 'whole model', 'without 5, 6', the name. */
  title: string;
  name: string;
  kind: Kind;
  /** Percent of the parameters that are kept. */
  kept: number;
  perplexity: number;
  runtime: Runtime;
  result: PerplexityResult;
  /** This is what the page shows and edits. */
  now: boolean;
}

/**
 * Points of all variants with a perplexity on the same tokens as the base's, and of the edited plan even before it is a
 * variant; larger models first. Variants with equal plans and different weights are different points.
 */
export function qualityPoints(state: CurrentState & Pick<LabState, 'draft'>): QualityPoint[] {
  const { comparison, base, live, draft, variants } = state;
  const shown = shownVariant(state);
  const selection = selectionOf(state);
  const text = evaluatedText({ base, comparison });
  const points: QualityPoint[] = [];
  const add = (
    key: string,
    result: PerplexityResult,
    point: Named & Pick<QualityPoint, 'name' | 'kept' | 'kind'>,
  ): void => {
    const { perplexity, runtime } = result;
    if (!Number.isFinite(perplexity) || points.some((other) => other.key === key)) return;
    points.push({
      ...point,
      key,
      perplexity,
      runtime,
      result,
      now: key === shown,
    });
  };
  for (const row of comparison) {
    const result = rowPerplexity(row, text);
    const named = hasOwnWeights(row) ? { label: row.name, title: row.name } : namedBy(row.plan);
    if (result) add(row.variant, result, { ...named, name: row.name, kind: kindOf(row), kept: (1 - row.ratio) * 100 });
  }
  if (base) add('base', base, { ...namedBy(emptyPlan('')), name: 'original model', kind: 'base', kept: 100 });
  if (selection && draft && live && sameSelection(live.selection, selection)) {
    const key = shown ?? 'edited';
    const { name } = variants.find(({ id }) => id === shown) ?? { name: 'the plan being edited' };
    const named = selection.ownWeights === null ? namedBy(selection.plan) : { label: name, title: name };
    add(key, live.result, {
      ...named,
      name,
      kind: kindOf({ variant: key, plan: selection.plan }),
      kept: (1 - draft.ratio) * 100,
    });
  }
  return points
    .map((point) => ({ ...point, now: point.now || point.key === 'edited' }))
    .sort((a, b) => b.kept - a.kept || a.perplexity - b.perplexity);
}

type Named = Pick<QualityPoint, 'label' | 'title'>;

function namedBy(plan: PruningPlan): Named {
  if (isWhole(plan)) return { label: 'original model', title: 'original model' };
  return { label: `−${planShort(plan)}`, title: `without ${planShort(plan)}` };
}

/** The points that no other of the same size or smaller is better than, larger sizes first; the chart's line joins them. */
export function bestPerSize(points: readonly QualityPoint[]): QualityPoint[] {
  const size = ({ kept }: QualityPoint): number => Math.round(kept * 100);
  const ascending = points.toSorted((a, b) => size(a) - size(b) || a.perplexity - b.perplexity);
  const best: QualityPoint[] = [];
  for (const point of ascending) {
    if (point.perplexity < (best.at(-1)?.perplexity ?? Number.POSITIVE_INFINITY)) best.push(point);
  }
  return best.reverse();
}

export function qualityTable(points: readonly QualityPoint[]): ChartTable {
  return {
    head: ['variant', 'kept', 'perplexity', 'runtime'],
    rows: points.map(({ key, title, kept, perplexity, result }) => ({
      key,
      cells: [title, percent(kept / 100), perplexityText(perplexity), producedBy(result.device)],
    })),
  };
}
