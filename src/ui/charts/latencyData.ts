/** @file Latency, spread and speed-up of variants as bars. Pure. */
import { precisionLabel } from '../../benchmark/precisionNames';
import type { ComparisonRow, LatencyResult, Runtime, SpeedUp } from '../../report/results';
import { milliseconds } from '../parts/format';
import { runtimeNames } from '../parts/names';
import { noDifference, overBase, speedUpText } from '../parts/speedUp';
import { type Kind, kindOf } from './compare/variantPoints';
import type { ChartTable } from './frame/tableTwin';

/** A runtime, batch size and precision. Results of different series are never drawn side by side. */
export interface Series {
  key: string;
  runtime: Runtime;
  batch: number;
  label: string;
}

type Way = Pick<LatencyResult, 'runtime' | 'batch' | 'precision'>;
const keyOf = ({ runtime, batch, precision = 'f32' }: Way): string => `${runtime} ${batch}${precisionLabel[precision]}`;

/** All series that were timed, smaller batches first. */
export function latencySeries(comparison: readonly ComparisonRow[]): Series[] {
  const series = new Map<string, Series>();
  for (const { latency } of comparison) {
    for (const result of latency) {
      const { runtime, batch, precision = 'f32' } = result;
      const key = keyOf(result);
      const label = `${runtimeNames[runtime]}${precisionLabel[precision]}, batch ${batch}`;
      series.set(key, { key, runtime, batch, label });
    }
  }
  return [...series.values()].sort((a, b) => a.runtime.localeCompare(b.runtime) || a.batch - b.batch);
}

function resultOf(row: ComparisonRow | undefined, key: string): LatencyResult | null {
  return row?.latency.findLast((result) => keyOf(result) === key) ?? null;
}

export interface LatencyBar {
  variant: string;
  name: string;
  kind: Kind;
  latencyMs: number;
  spread: number;
  /** Speed-up over the base; null for the base and for variants that were not timed together with it. */
  speedUp: SpeedUp | null;
  result: LatencyResult;
  now: boolean;
}

/**
 * One bar per variant of the series: the base first, then in the order of the comparison. `shown`: id of the variant that the
 * page shows.
 */
export function latencyBars(comparison: readonly ComparisonRow[], series: string, shown: string | null): LatencyBar[] {
  const bars = comparison.flatMap((row): LatencyBar[] => {
    const result = resultOf(row, series);
    if (!result) return [];
    return [
      {
        variant: row.variant,
        name: row.name,
        kind: kindOf(row),
        latencyMs: result.latencyMs,
        spread: result.spread,
        speedUp: overBase(result),
        result,
        now: row.variant === shown,
      },
    ];
  });
  return [...bars.filter((bar) => bar.kind === 'base'), ...bars.filter((bar) => bar.kind !== 'base')];
}

export function latencyTable(bars: readonly LatencyBar[]): ChartTable {
  return {
    head: ['variant', 'latency', 'spread', 'speed-up'],
    rows: bars.map((bar) => ({
      key: bar.variant,
      cells: [bar.name, milliseconds(bar.latencyMs), `± ${milliseconds(bar.spread)}`, speedUpCell(bar)],
    })),
  };
}

function speedUpCell({ speedUp }: LatencyBar): string {
  if (!speedUp) return '–';
  const { value, interval, verdict } = speedUpText(speedUp);
  return `${value} (${interval})${verdict === 'open' ? `: ${noDifference}` : ''}`;
}
