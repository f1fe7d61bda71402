/** @file Tasks of several reports: same model, same questions. */
import { expect, test } from 'vitest';
import { comparedTasks } from './comparedTasks';
import type { ModelRecord } from './record';
import { randomRecord } from './testing/randomRecord';
import { syntheticComparison } from './testing/syntheticComparison';
import { askedRows, taskResult } from './testing/taskRows';

const rows = syntheticComparison('demo').slice(0, 2);
const record = (comparison: ModelRecord['comparison'], revision = '1'): ModelRecord => {
  const { model, ...rest } = randomRecord(0);
  return { ...rest, model: { ...model, id: 'demo', revision }, comparison };
};

test('the same questions of one model stand together, each variant against the base of its own report', () => {
  const [found, ...others] = comparedTasks([record(askedRows(rows, 90, 4)), record(askedRows(rows, 80, 6))]);
  expect(others).toEqual([]);
  expect(found).toMatchObject({ task: 'story-endings', items: 100, model: { id: 'demo', revision: '1' } });
  expect(
    found!.rows.map(({ report, row, change }) => [report, row.variant, change && Math.round(100 * change)]),
  ).toEqual([
    [0, 'base', null],
    [0, rows[1]!.variant, -4],
    [1, 'base', null],
    [1, rows[1]!.variant, -6],
  ]);
});

test('other questions, another revision and a task of one report are none', () => {
  const other = rows.map((row) => ({ ...row, tasks: [taskResult('story-endings', 9, { items: 10, hash: 'other' })] }));
  expect(comparedTasks([record(askedRows(rows)), record(other)])).toEqual([]);
  expect(comparedTasks([record(askedRows(rows)), record(askedRows(rows), '2')])).toEqual([]);
  expect(comparedTasks([record(askedRows(rows)), record(rows)])).toEqual([]);
});
