/** @file Variants as bars of latency with their spread and their speed-up. Pure. */
import { planKey } from '../../lab/store';
import type { ComparisonRow, LatencyResult, PruningPlan, Runtime } from '../../lab/types';
import { isWhole, runtimeNames } from '../parts/names';

/** One way of timing: results of different ones are never drawn side by side. */
export interface Series {
  key: string;
  runtime: Runtime;
  batch: number;
  label: string;
}

const keyOf = ({ runtime, batch }: Pick<LatencyResult, 'runtime' | 'batch'>): string => `${runtime} ${batch}`;

/** All runtimes and batch sizes that were timed, smaller batches first. */
export function latencySeries(comparison: readonly ComparisonRow[]): Series[] {
  const series = new Map<string, Series>();
  for (const { latency } of comparison) {
    for (const { runtime, batch } of latency) {
      const key = keyOf({ runtime, batch });
      series.set(key, { key, runtime, batch, label: `${runtimeNames[runtime]}, batch ${batch}` });
    }
  }
  return [...series.values()].sort((a, b) => a.runtime.localeCompare(b.runtime) || a.batch - b.batch);
}

function resultOf(row: ComparisonRow | undefined, key: string): LatencyResult | null {
  return row?.latency.findLast((result) => keyOf(result) === key) ?? null;
}

/** How many times faster than the whole model, timed the same way; null without such a time. */
export function speedUp(
  comparison: readonly ComparisonRow[],
  row: ComparisonRow,
  result: LatencyResult,
): { latency: number; decode: number } | null {
  if (isWhole(row.plan)) return null;
  const base = resultOf(
    comparison.find((candidate) => isWhole(candidate.plan)),
    keyOf(result),
  );
  if (!base) return null;
  return { latency: base.latencyMs / result.latencyMs, decode: base.decodeMsPerToken / result.decodeMsPerToken };
}

export interface LatencyBar {
  variant: string;
  name: string;
  kind: 'base' | 'depth';
  latencyMs: number;
  spread: number;
  /** Relative to the whole model; null for it, or when it was not timed this way. */
  speedUp: number | null;
  result: LatencyResult;
  now: boolean;
}

/** One bar per variant that was timed this way, the whole model first, then in the order of the comparison. */
export function latencyBars(
  comparison: readonly ComparisonRow[],
  series: string,
  plan: PruningPlan | null,
): LatencyBar[] {
  const bars = comparison.flatMap((row): LatencyBar[] => {
    const result = resultOf(row, series);
    if (!result) return [];
    return [
      {
        variant: row.variant,
        name: row.name,
        kind: isWhole(row.plan) ? 'base' : 'depth',
        latencyMs: result.latencyMs,
        spread: result.spread,
        speedUp: speedUp(comparison, row, result)?.latency ?? null,
        result,
        now: plan !== null && planKey(plan) === planKey(row.plan),
      },
    ];
  });
  return [...bars.filter((bar) => bar.kind === 'base'), ...bars.filter((bar) => bar.kind !== 'base')];
}
