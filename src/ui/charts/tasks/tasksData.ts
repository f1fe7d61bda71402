/** @file What variants answered in a task, as bars and as a table. Pure. */
import type { TaskResult } from '../../../report/results';
import type { TaskGroup } from '../../../report/taskGroups';
import { percent, plural } from '../../parts/format';
import { enumerate, producedBy } from '../../parts/names';
import { type Kind, kindOf } from '../compare/variantPoints';
import type { ChartTable } from '../frame/tableTwin';

export interface TaskBar {
  readonly variant: string;
  readonly name: string;
  readonly kind: Kind;
  /** Share of right answers, 0…1. */
  readonly accuracy: number;
  readonly standardError: number;
  /** Accuracy minus that of the original model, −1…1; null for that model, and where it was not asked. */
  readonly change: number | null;
  /** Share of the parameters that stay, 0…1. */
  readonly kept: number;
  readonly result: TaskResult;
}

/** The original model first. */
export function taskBars({ rows }: TaskGroup): TaskBar[] {
  return rows.map(({ row, result, change }) => ({
    ...{ variant: row.variant, name: row.variant === 'base' ? 'original model' : row.name, kind: kindOf(row) },
    ...{ accuracy: result.accuracy, standardError: result.standardError, change, kept: 1 - row.ratio, result },
  }));
}

/** The original model and the variants with the most right answers: as many as there is room for, in their order. */
export function chosenTaskBars(bars: readonly TaskBar[], most: number): TaskBar[] {
  const place = ({ kind, accuracy }: TaskBar): number => (kind === 'base' ? -1 : 1 - accuracy);
  const chosen = new Set(bars.toSorted((a, b) => place(a) - place(b)).slice(0, most));
  return bars.filter((bar) => chosen.has(bar));
}

/** A difference of two shares in percentage points: '−4 points', '+1.5 points', '±0 points'. */
export function pointsText(change: number): string {
  const points = Math.round(Math.abs(change) * 1000) / 10;
  const sign = points === 0 ? '±' : change < 0 ? '−' : '+';
  return `${sign}${points} ${points === 1 ? 'point' : 'points'}`;
}

/** '86% ± 3.5'. */
export const shareText = ({ accuracy, standardError }: Pick<TaskResult, 'accuracy' | 'standardError'>): string =>
  `${percent(accuracy)} ± ${percent(standardError).slice(0, -1)}`;

/** What was asked, how it is drawn, and by which devices. */
export function taskNote(group: TaskGroup): string {
  const makers = [...new Set(group.rows.map(({ result }) => producedBy(result.device)))];
  const base = group.base === null ? [] : ['dashed: the original model'];
  return [
    `${plural(group.items, 'question')}: the answer with the largest likelihood counts`,
    'whiskers ± standard error',
    ...base,
    enumerate(makers),
  ].join(' · ');
}

export function taskTable(bars: readonly TaskBar[]): ChartTable {
  return {
    head: ['variant', 'kept', 'right answers', '± standard error', 'against the original', 'right by length'],
    rows: bars.map(({ variant, name, kept, accuracy, standardError, change, result }) => ({
      key: variant,
      cells: [
        ...[name, percent(kept), percent(accuracy), `± ${percent(standardError)}`],
        ...[change === null ? '–' : pointsText(change), percent(result.accuracyNorm)],
      ],
    })),
  };
}

interface AllTasksRow {
  readonly variant: string;
  readonly name: string;
  /** One for each group: share, error, and the difference from the original model; '–' where it was not asked. */
  readonly cells: readonly string[];
}

/** Every variant that was asked something, the original model first. */
export function allTasks(groups: readonly TaskGroup[]): AllTasksRow[] {
  const bars = groups.map(taskBars);
  const names = new Map(bars.flat().map(({ variant, name }) => [variant, name]));
  const variants = [...names].sort(([a], [b]) => Number(b === 'base') - Number(a === 'base'));
  return variants.map(([variant, name]) => ({
    ...{ variant, name },
    cells: bars.map((group) => {
      const bar = group.find((each) => each.variant === variant);
      if (!bar) return '–';
      return bar.change === null ? shareText(bar) : `${shareText(bar)} (${pointsText(bar.change)})`;
    }),
  }));
}
