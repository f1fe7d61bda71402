/** @file The perplexity that the page shows for the edited plan, and whether it belongs to this plan. Pure. */

import { isBase, sameSelection, selectionOf } from '../../lab/page/selection';
import { type ShownState, shownVariant } from '../../lab/page/shownVariant';
import type { LabState } from '../../lab/page/store';
import type { ComparisonRow, PerplexityResult, Runtime } from '../../report/results';

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

/** The comparison's row of the variant that is shown; null while what is shown is no variant. */
export function shownRow(state: ShownState & Pick<LabState, 'comparison'>): ComparisonRow | null {
  const id = shownVariant(state);
  return state.comparison.find((row) => row.variant === id) ?? null;
}

export interface Current {
  result: PerplexityResult;
  /** False if measured on what was shown before; shown in grey until the new number arrives. */
  fresh: boolean;
}

export type CurrentState = ShownState & Pick<LabState, 'live' | 'base' | 'comparison'>;

export function currentPerplexity(state: CurrentState): Current | null {
  const { live, base, comparison } = state;
  const selection = selectionOf(state);
  if (!selection) return null;
  if (live && sameSelection(live.selection, selection)) return { result: live.result, fresh: true };
  if (base && isBase(selection)) return { result: base, fresh: true };
  const row = shownRow(state);
  const benchmarked = row && rowPerplexity(row, evaluatedText({ base, comparison }));
  if (benchmarked) return { result: benchmarked, fresh: true };
  const earlier = live?.result ?? base;
  return earlier ? { result: earlier, fresh: false } : null;
}

/** Perplexity of the base. */
export function basePerplexity(state: Pick<LabState, 'base' | 'comparison'>): PerplexityResult | null {
  if (state.base) return state.base;
  const row = state.comparison.find(({ variant }) => variant === 'base');
  return row ? rowPerplexity(row) : null;
}
