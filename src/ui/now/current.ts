/** @file The perplexity that the page shows for the edited plan, and whether it belongs to this plan. Pure. */

import type { LabState } from '../../lab/page/store';
import type { PruningPlan } from '../../pruning/plan';
import { planKey } from '../../pruning/plan';
import type { ComparisonRow, PerplexityResult, Runtime } from '../../report/results';
import { isWhole } from '../parts/names';

/** Runtimes by preference; all of them measure the same tokens. */
const preferred: readonly Runtime[] = ['wgsl', 'ort-webgpu', 'ort-wasm'];

/**
 * A row's perplexity from the first runtime that has one. `text`: hash of the tokens that it must be measured on; null
 * accepts any tokens.
 */
export function rowPerplexity(row: ComparisonRow, text: string | null = null): PerplexityResult | null {
  for (const runtime of preferred) {
    const result = row.perplexity[runtime];
    if (result && (text === null || result.text.hash === text)) return result;
  }
  return null;
}

/** Hash of the tokens of the page's perplexities. Perplexities on other tokens cannot be compared with them. */
export function evaluatedText(state: Pick<LabState, 'base' | 'comparison'>): string | null {
  return basePerplexity(state)?.text.hash ?? null;
}

/** The comparison row of a plan. */
export function rowOf(comparison: readonly ComparisonRow[], plan: PruningPlan): ComparisonRow | null {
  const key = planKey(plan);
  return comparison.find((row) => planKey(row.plan) === key) ?? null;
}

export interface Current {
  result: PerplexityResult;
  /** False if measured on an earlier plan; shown in grey until the new number arrives. */
  fresh: boolean;
}

export function currentPerplexity(state: Pick<LabState, 'plan' | 'live' | 'base' | 'comparison'>): Current | null {
  const { plan, live, base, comparison } = state;
  if (!plan) return null;
  if (live && live.planKey === planKey(plan)) return { result: live.result, fresh: true };
  if (base && isWhole(plan)) return { result: base, fresh: true };
  const row = rowOf(comparison, plan);
  const benchmarked = row && rowPerplexity(row, evaluatedText({ base, comparison }));
  if (benchmarked) return { result: benchmarked, fresh: true };
  const earlier = live?.result ?? base;
  return earlier ? { result: earlier, fresh: false } : null;
}

/** Perplexity of the base. */
export function basePerplexity(state: Pick<LabState, 'base' | 'comparison'>): PerplexityResult | null {
  if (state.base) return state.base;
  const row = state.comparison.find((candidate) => isWhole(candidate.plan));
  return row ? rowPerplexity(row) : null;
}
