/** @file Points, legend words and table of a chart of several reports. Pure. */
import type { ComparedGroup, ComparedVariant } from '../../report/compared';
import type { ModelRecord } from '../../report/record';
import type { Side } from '../../report/verdict';
import type { ChartTable } from '../charts/frame/tableTwin';
import { percent, perplexity, times } from '../parts/format';
import { runtimeNames } from '../parts/names';
import { reportTitle } from '../report/titles';

/** Colours that can be told apart; further series begin again. */
export const seriesColours = 8;

export type Measure = 'perplexity' | 'speed';

export interface ComparedPoint {
  readonly key: string;
  readonly side: Side;
  readonly repaired: boolean;
  /** Index of the colour. */
  readonly series: number;
  /** Percent of the parameters kept. */
  readonly kept: number;
  readonly y: number;
  readonly title: string;
  readonly lines: readonly string[];
  readonly cells: readonly string[];
}

export interface ComparedSeries {
  readonly names: readonly string[];
  /** Index of the name by report. */
  readonly of: ReadonlyMap<number, number>;
  readonly by: 'device' | 'report';
}

export const deviceOf = ({ device, comparison }: ModelRecord): string =>
  device?.adapter ?? comparison.flatMap(({ latency }) => latency)[0]?.device.adapter ?? 'no WebGPU';

/** Colours tell devices apart, where there are several, else the reports. */
export function seriesOf({ reports }: ComparedGroup, records: readonly ModelRecord[]): ComparedSeries {
  const devices = [...new Set(reports.map((report) => deviceOf(records[report]!)))];
  if (devices.length > 1) {
    return {
      names: devices,
      of: new Map(reports.map((report) => [report, devices.indexOf(deviceOf(records[report]!))])),
      by: 'device',
    };
  }
  const names = reports.map((report) => `${report + 1} ${reportTitle(records[report]!)}`);
  return { names, of: new Map(reports.map((report, at) => [report, at])), by: 'report' };
}

type Timed = ComparedVariant['times'][number];
const wayKey = ({ runtime, batch, promptTokens, newTokens }: Timed): string =>
  JSON.stringify([runtime, batch, promptTokens, newTokens]);

/** The protocol that timed the most variants of a group: other protocols' times do not stand beside these. */
export function commonWay({ variants }: Pick<ComparedGroup, 'variants'>): { key: string; words: string } | null {
  const counts = new Map<string, { count: number; first: Timed }>();
  for (const time of variants.flatMap((variant) => variant.times)) {
    const known = counts.get(wayKey(time));
    counts.set(wayKey(time), { count: (known?.count ?? 0) + 1, first: known?.first ?? time });
  }
  const [most] = [...counts].sort(([, a], [, b]) => b.count - a.count);
  if (!most) return null;
  const { runtime, batch, promptTokens, newTokens } = most[1].first;
  return {
    key: most[0],
    words: `${runtimeNames[runtime]}, batch ${batch}, ${promptTokens} prompt + ${newTokens} new tokens`,
  };
}

export const speedOf = ({ times: all }: ComparedVariant, way: string | undefined): Timed | null =>
  all.find((time) => wayKey(time) === way) ?? null;

const sideWords: Readonly<Record<Side, string>> = { depth: 'depth', width: 'width', mixed: 'depth and width' };
export const kindText = ({ side, repaired }: Pick<ComparedVariant, 'side' | 'repaired'>): string =>
  `${sideWords[side]}${repaired ? ', repaired' : ''}`;

export function pointsOf(group: ComparedGroup, records: readonly ModelRecord[], measure: Measure): ComparedPoint[] {
  const series = seriesOf(group, records);
  const way = commonWay(group)?.key;
  return group.variants.flatMap((variant): ComparedPoint[] => {
    const { report, relative, side, repaired } = variant;
    const speed = speedOf(variant, way)?.speedUp;
    const y = measure === 'perplexity' ? relative : (speed?.ratio ?? null);
    if (y === null) return [];
    const record = records[report]!;
    const said =
      measure === 'perplexity'
        ? `perplexity ${perplexity(variant.perplexity!)}, ${times(relative!)} the original’s`
        : `${times(y)} as fast, 95 % interval ${times(speed!.low)} to ${times(speed!.high)}`;
    return [
      {
        ...{ key: `${report} ${variant.variant}`, side, repaired, series: series.of.get(report) ?? 0 },
        ...{ kept: variant.kept * 100, y, title: variant.name },
        lines: [said, `${percent(variant.kept)} of the parameters kept`, reportTitle(record), deviceOf(record)],
        cells: [
          variant.name,
          `${report + 1} ${reportTitle(record)}`,
          deviceOf(record),
          kindText(variant),
          percent(variant.kept),
          times(y),
        ],
      },
    ];
  });
}

export function pointsTable(points: readonly ComparedPoint[], measure: Measure): ChartTable {
  return {
    head: [
      'variant',
      'report',
      'device',
      'kind',
      'kept',
      measure === 'perplexity' ? 'perplexity ÷ original’s' : 'speed-up',
    ],
    rows: points.map(({ key, cells }) => ({ key, cells })),
  };
}
