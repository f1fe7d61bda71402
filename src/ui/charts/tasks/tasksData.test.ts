/** @file Bars, words and table of a task. */
import { expect, test } from 'vitest';
import { taskGroups } from '../../../report/taskGroups';
import { syntheticComparison } from '../../../report/testing/syntheticComparison';
import { askedRows, taskResult } from '../../../report/testing/taskRows';
import { allTasks, chosenTaskBars, pointsText, shareText, taskBars, taskNote, taskTable } from './tasksData';

const rows = syntheticComparison('demo').slice(0, 4);
const [group] = taskGroups(askedRows(rows));
const bars = taskBars(group!);

test('the table has the share with its error and the difference from the original model', () => {
  const { rows: cells } = taskTable(bars);
  expect(cells[0]!.cells).toEqual(['original model', '100%', '90%', '± 3%', '–', '89%']);
  expect(cells[1]!.cells).toEqual(['Taylor+ 20 %', '77.3%', '86%', '± 3.5%', '−4 points', '85%']);
  expect(bars.map(({ kind }) => kind)).toEqual(['base', 'depth', 'depth', 'depth']);
});

test.each([
  [0, '±0 points'],
  [0.0004, '±0 points'],
  [-0.01, '−1 point'],
  [0.125, '+12.5 points'],
])('a difference of %d reads %s', (change, words) => {
  expect(pointsText(change)).toBe(words);
});

test('a slide keeps the original model and the best variants, in their order', () => {
  const last = { ...bars[3]!, accuracy: 0.99 };
  expect(chosenTaskBars([...bars.slice(0, 3), last], 3)).toEqual([bars[0], bars[1], last]);
  expect(chosenTaskBars(bars, 99)).toEqual(bars);
});

test('the note names the devices once, and the dashed line where the original model was asked', () => {
  expect(taskNote(group!)).toMatch(/^100 questions: .* · dashed: the original model · WGSL engine on a test$/);
  const [alone] = taskGroups([{ ...rows[1]!, tasks: [taskResult('x.jsonl', 1, { items: 1 })] }]);
  expect(taskNote(alone!)).toMatch(/^1 question: /);
  expect(taskNote(alone!)).not.toContain('dashed');
  expect(shareText(taskResult('x', 1, { items: 3 }))).toBe('33.3% ± 33.3');
});

test('the table of all tasks has a row for each variant that was asked something', () => {
  const other = { ...rows[3]!, tasks: [taskResult('mine.jsonl', 1, { items: 4 })] };
  expect(allTasks(taskGroups([other, ...askedRows(rows.slice(0, 2))]))).toEqual([
    { variant: 'base', name: 'original model', cells: ['–', '90% ± 3'] },
    { variant: rows[3]!.variant, name: rows[3]!.name, cells: ['25% ± 25', '–'] },
    { variant: rows[1]!.variant, name: rows[1]!.name, cells: ['–', '86% ± 3.5 (−4 points)'] },
  ]);
});
