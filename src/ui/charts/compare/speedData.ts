/** @file The table of the speed-up chart, its axes and the labels at the ends of its lines. Pure. */
import { times } from '../../parts/format';
import { speedUpText } from '../../parts/speedUp';
import type { ChartTable } from '../frame/tableTwin';
import { linearAxis } from '../ticks';
import type { SpeedLine } from './variantPoints';

/** All batch sizes of the lines, ascending. */
export function batchesOf(lines: readonly SpeedLine[]): number[] {
  return [...new Set(lines.flatMap(({ points }) => points.map(({ batch }) => batch)))].sort((a, b) => a - b);
}

/** One row per variant, one column per batch size. */
export function speedTable(lines: readonly SpeedLine[]): ChartTable {
  const batches = batchesOf(lines);
  return {
    head: ['variant', 'ideal', ...batches.map((batch) => `batch ${batch} (95 % interval)`)],
    rows: lines.map(({ key, name, ideal, points }) => ({
      key,
      cells: [
        name,
        times(ideal),
        ...batches.map((batch) => {
          const point = points.find((each) => each.batch === batch);
          if (!point) return '–';
          const { value, interval } = speedUpText(point);
          return `${value} (${interval})`;
        }),
      ],
    })),
  };
}

/**
 * Where a point is drawn on an axis with one place per batch size: variants of one batch size side by side, so that their
 * whiskers can be told apart.
 */
export function dodged(place: number, line: number, lines: number, places: number): number {
  const room = places > 1 ? 0.44 : 0.7;
  return lines > 1 ? place + (line / (lines - 1) - 0.5) * room : place;
}

/** An axis around the speed-ups, their whiskers and ideals; it always shows 1, the base's speed. */
export function speedAxis(lines: readonly SpeedLine[]): { domain: [number, number]; ticks: number[] } {
  const ends = lines.flatMap(({ ideal, points }) => [ideal, ...points.flatMap(({ low, high }) => [low, high])]);
  const finite = [1, ...ends].filter(Number.isFinite);
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  const span = Math.max(high - low, 0.1);
  const fine = linearAxis([0, span]).ticks;
  const step = fine[1]! - fine[0]!;
  const first = Math.floor((low - span * 0.04) / step + 1e-9);
  const last = Math.ceil((high + span * 0.04) / step - 1e-9);
  const ticks = Array.from({ length: last - first + 1 }, (_, index) =>
    Number(((first + index) * step).toPrecision(10)),
  );
  return { domain: [ticks[0]!, ticks.at(-1)!], ticks };
}

/** Moves labels of one column apart: at least `gap` px between two, none beyond `top` and `bottom`, in the order of `ys`. */
export function spreadOut(ys: readonly number[], gap: number, top: number, bottom: number): number[] {
  const order = ys.map((_, index) => index).sort((a, b) => ys[a]! - ys[b]!);
  const placed: number[] = [...ys];
  let least = top;
  for (const index of order) {
    placed[index] = Math.max(ys[index]!, least);
    least = placed[index]! + gap;
  }
  let most = bottom;
  for (const index of order.toReversed()) {
    placed[index] = Math.min(placed[index]!, most);
    most = placed[index]! - gap;
  }
  return placed;
}
