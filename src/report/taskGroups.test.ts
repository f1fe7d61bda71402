/** @file Results of tasks in groups: same questions together, changes against the base of the same questions. */
import { expect, test } from 'vitest';
import { taskGroups } from './taskGroups';
import { syntheticComparison } from './testing/syntheticComparison';
import { askedRows, taskResult } from './testing/taskRows';

const rows = syntheticComparison('demo');

test('without results there are no groups', () => {
  expect(taskGroups(rows)).toEqual([]);
  expect(taskGroups(rows.map((row) => ({ ...row, tasks: [] })))).toEqual([]);
});

test('the same questions are one group, the base first, with the change of each variant', () => {
  const [group, ...others] = taskGroups(askedRows(rows).toReversed());
  expect(others).toEqual([]);
  expect(group).toMatchObject({ task: 'story-endings', name: 'story-endings', items: 100, base: { accuracy: 0.9 } });
  expect(group!.rows.map(({ row }) => row.variant)).toEqual([
    rows[0]!.variant,
    ...rows
      .slice(1)
      .map(({ variant }) => variant)
      .toReversed(),
  ]);
  expect(group!.rows.map(({ change }) => change && Math.round(100 * change))).toEqual([
    null,
    ...rows
      .slice(1)
      .map((_, at) => -4 * (at + 1))
      .toReversed(),
  ]);
});

test('other questions of one name stand apart, and are not compared with the base', () => {
  const asked = askedRows(rows.slice(0, 3));
  const other = { ...rows[3]!, tasks: [taskResult('story-endings', 10, { items: 20, hash: 'other' })] };
  const [main, apart] = taskGroups([other, ...asked]);
  expect([main!.rows.length, apart!.rows.length]).toEqual([3, 1]);
  expect([main!.name, apart!.name]).toEqual(['story-endings (questions of story-endings)', 'story-endings (other)']);
  expect(apart).toMatchObject({ base: null, items: 20, rows: [{ change: null }] });
});

test('tasks keep the order in which the rows name them', () => {
  const first = { ...rows[1]!, tasks: [taskResult('mine.jsonl', 50)] };
  expect(taskGroups([first, ...askedRows(rows)]).map(({ task }) => task)).toEqual(['mine.jsonl', 'story-endings']);
});
