/** @file The results of tasks, those of the same questions together: only they compare. Pure. */
import type { ComparisonRow, TaskResult } from './results';

export interface AskedRow {
  readonly row: ComparisonRow;
  readonly result: TaskResult;
  /** Accuracy minus that of the base on the same questions, −1…1; null for the base and where it was not asked. */
  readonly change: number | null;
}

/** What variants answered to the same questions. */
export interface TaskGroup {
  /** Tells it from all other groups. */
  readonly key: string;
  readonly task: string;
  /** The task's name; with the hash where several groups have the name. */
  readonly name: string;
  readonly items: number;
  /** Hash of the questions' token ids. */
  readonly hash: string;
  /** Null where the base was not asked these questions. */
  readonly base: TaskResult | null;
  /** The base first, then in the order of the comparison. */
  readonly rows: readonly AskedRow[];
}

const keyOf = ({ task, items, hash }: TaskResult): string => JSON.stringify([task, items, hash]);

/** The tasks in the order in which the rows name them; of one name the group with the most rows first. */
export function taskGroups(rows: readonly ComparisonRow[]): TaskGroup[] {
  const found = new Map<string, { row: ComparisonRow; result: TaskResult }[]>();
  for (const row of rows) {
    for (const result of row.tasks ?? [])
      found.set(keyOf(result), [...(found.get(keyOf(result)) ?? []), { row, result }]);
  }
  const names = [...found.values()].map(([first]) => first!.result.task);
  const groups = [...found].map(([key, members]): TaskGroup => {
    const { task, items, hash } = members[0]!.result;
    const isBase = ({ row }: { readonly row: ComparisonRow }): boolean => row.variant === 'base';
    const base = members.find(isBase)?.result ?? null;
    const asked = members.map(({ row, result }): AskedRow => {
      return { row, result, change: base === null || result === base ? null : result.accuracy - base.accuracy };
    });
    const name = names.filter((each) => each === task).length > 1 ? `${task} (${hash})` : task;
    const ordered = [...asked.filter(isBase), ...asked.filter((each) => !isBase(each))];
    return { key, task, name, items, hash, base, rows: ordered };
  });
  const order = [...new Set(names)];
  return groups.sort((a, b) => order.indexOf(a.task) - order.indexOf(b.task) || b.rows.length - a.rows.length);
}
