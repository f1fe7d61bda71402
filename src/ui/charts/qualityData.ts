/** @file Perplexity of variants against the share of parameters kept, as points. Pure. */

import type { LabState } from '../../lab/page/store';
import { planKey } from '../../pruning/plan';
import type { PerplexityResult, Runtime } from '../../report/results';
import { evaluatedText, rowPerplexity } from '../now/current';
import { isWhole, planShort } from '../parts/names';

export interface QualityPoint {
  key: string;
  /** 'original model', or the removed blocks. */
  label: string;
  name: string;
  kind: 'base' | 'depth';
  /** Percent of the parameters that are kept. */
  kept: number;
  perplexity: number;
  runtime: Runtime;
  result: PerplexityResult;
  /** True for the edited plan. */
  now: boolean;
}

/**
 * Points of all variants with a perplexity on the same tokens as the base's, and of the edited plan even before it is a
 * variant; larger models first.
 */
export function qualityPoints(
  state: Pick<LabState, 'comparison' | 'base' | 'live' | 'plan' | 'draft'>,
): QualityPoint[] {
  const { comparison, base, live, plan, draft } = state;
  const current = plan ? planKey(plan) : null;
  const text = evaluatedText({ base, comparison });
  const points = new Map<string, QualityPoint>();
  const add = (key: string, point: Omit<QualityPoint, 'key' | 'now' | 'perplexity' | 'runtime'>): void => {
    const { perplexity, runtime } = point.result;
    if (points.has(key) || !Number.isFinite(perplexity)) return;
    points.set(key, { ...point, key, perplexity, runtime, now: key === current });
  };
  for (const row of comparison) {
    const result = rowPerplexity(row, text);
    if (!result) continue;
    const whole = isWhole(row.plan);
    add(planKey(row.plan), {
      label: whole ? 'original model' : planShort(row.plan),
      name: row.name,
      kind: whole ? 'base' : 'depth',
      kept: (1 - row.ratio) * 100,
      result,
    });
  }
  if (base) {
    const key = JSON.stringify([[], [], []]);
    add(key, { label: 'original model', name: 'original model', kind: 'base', kept: 100, result: base });
  }
  if (plan && draft && live && live.planKey === current) {
    add(live.planKey, {
      label: isWhole(plan) ? 'original model' : planShort(plan),
      name: 'the plan being edited',
      kind: isWhole(plan) ? 'base' : 'depth',
      kept: (1 - draft.ratio) * 100,
      result: live.result,
    });
  }
  return [...points.values()].sort((a, b) => b.kept - a.kept || a.perplexity - b.perplexity);
}

/** The best point at each size, larger sizes first; the chart's line joins them. */
export function bestPerSize(points: readonly QualityPoint[]): QualityPoint[] {
  const best = new Map<number, QualityPoint>();
  for (const point of points) {
    const size = Math.round(point.kept * 100);
    const rival = best.get(size);
    if (!rival || point.perplexity < rival.perplexity) best.set(size, point);
  }
  return [...best.values()].sort((a, b) => b.kept - a.kept);
}
