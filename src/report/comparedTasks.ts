/** @file What the variants of several reports answered to the same questions. Pure. */
import type { ModelInfo } from './facts';
import type { ModelRecord } from './record';
import { type AskedRow, type TaskGroup, taskGroups } from './taskGroups';

/** One task that several reports asked of one model and its variants. */
export interface ComparedTask extends Pick<TaskGroup, 'key' | 'task' | 'items' | 'hash'> {
  readonly model: Pick<ModelInfo, 'id' | 'revision'>;
  /** In the order of the reports, of each the base first. Changes are against the base of the same report. */
  readonly rows: readonly (AskedRow & { readonly report: number })[];
}

/** Tasks whose questions two reports of one model in one revision asked. */
export function comparedTasks(records: readonly ModelRecord[]): ComparedTask[] {
  const found = new Map<string, ComparedTask>();
  records.forEach(({ model: { id, revision }, comparison }, report) => {
    for (const { task, items, hash, rows, key: asked } of taskGroups(comparison)) {
      const key = JSON.stringify([id, revision, asked]);
      const known = found.get(key) ?? { key, task, items, hash, model: { id, revision }, rows: [] };
      found.set(key, { ...known, rows: [...known.rows, ...rows.map((row) => ({ ...row, report }))] });
    }
  });
  return [...found.values()].filter(({ rows }) => new Set(rows.map(({ report }) => report)).size > 1);
}
