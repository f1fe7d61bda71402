/** @file Rows of a comparison with results of tasks, made by hand. */
import { shareError } from '../../numerics/statistics';
import type { ComparisonRow, TaskResult } from '../results';

/** The result of a task with so many right answers, and by length one fewer. */
export function taskResult(task: string, right: number, more: Partial<TaskResult> = {}): TaskResult {
  const { items = 100 } = more;
  const accuracy = right / items;
  return {
    ...{
      task,
      items,
      accuracy,
      accuracyNorm: Math.max(0, right - 1) / items,
      standardError: shareError(accuracy, items),
    },
    ...{ hash: `questions of ${task}`, milliseconds: 1500 },
    device: { adapter: 'a test', software: false, runtime: 'WGSL engine' },
    ...more,
  };
}

/** The rows with the results of 'story-endings': the first row has so many right answers, each further row fewer. */
export function askedRows(rows: readonly ComparisonRow[], right = 90, fewer = 4): ComparisonRow[] {
  return rows.map((row, at) => ({ ...row, tasks: [taskResult('story-endings', right - fewer * at)] }));
}
