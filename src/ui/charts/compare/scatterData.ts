/** @file Points and tables of the charts with perplexities. Pure. */
import { milliseconds, percent, perplexity } from '../../parts/format';
import { producedBy } from '../../parts/names';
import type { ChartTable } from '../frame/tableTwin';
import { spreadPerToken, type VariantPoint } from './variantPoints';

/** A variant with a place in a chart. */
export interface ScatterPoint extends VariantPoint {
  readonly x: number;
  readonly y: number;
  /** Half its length; 0 for none. */
  readonly whisker: number;
  /** The numbers of the tooltip. */
  readonly lines: readonly string[];
}

/** Perplexity against the percentage of parameters removed. */
export function bySize(points: readonly VariantPoint[]): ScatterPoint[] {
  return points.flatMap((point): ScatterPoint[] => {
    const { perplexity: y, removed: x, scored } = point;
    if (y === null || !scored) return [];
    const lines = [
      `perplexity ${perplexity(y)}`,
      `${percent(x / 100)} of the parameters removed`,
      producedBy(scored.device),
    ];
    return [{ ...point, x, y, whisker: 0, lines }];
  });
}

/** Perplexity against milliseconds per token. */
export function byTime(points: readonly VariantPoint[]): ScatterPoint[] {
  return points.flatMap((point): ScatterPoint[] => {
    const { perplexity: y, timed } = point;
    if (y === null || !timed) return [];
    const whisker = spreadPerToken(timed);
    const lines = [
      `perplexity ${perplexity(y)}`,
      `${milliseconds(timed.decodeMsPerToken)} ± ${milliseconds(whisker)} per token`,
      producedBy(timed.device),
    ];
    return [{ ...point, x: timed.decodeMsPerToken, y, whisker, lines }];
  });
}

/** What a variant is, for a table: 'depth, repaired'. */
export function kindWords({ kind, repaired }: Pick<VariantPoint, 'kind' | 'repaired'>): string {
  return `${kind === 'base' ? 'original' : kind === 'mixed' ? 'depth and width' : kind}${repaired ? ', repaired' : ''}`;
}

export function sizeTable(points: readonly ScatterPoint[]): ChartTable {
  return {
    head: ['variant', 'kind', 'removed', 'perplexity'],
    rows: points.map((point) => ({
      key: point.key,
      cells: [point.name, kindWords(point), percent(point.x / 100), perplexity(point.y)],
    })),
  };
}

export function timeTable(points: readonly ScatterPoint[]): ChartTable {
  return {
    head: ['variant', 'kind', 'time per token', '± sd', 'perplexity'],
    rows: points.map((point) => ({
      key: point.key,
      cells: [point.name, kindWords(point), milliseconds(point.x), milliseconds(point.whisker), perplexity(point.y)],
    })),
  };
}
