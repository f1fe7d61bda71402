/** @file The numbers of one variant: the newest of each kind. */
import { expect, test } from 'vitest';
import { most } from '../../report/fields';
import type { TaskResult } from '../../report/results';
import { VariantNumbers } from './variantNumbers';

const device = { adapter: 'CPU', software: false, runtime: 'test' };
const result = (task: string, accuracy = 0.5): TaskResult => ({
  ...{ task, items: 4, accuracy, accuracyNorm: 0.5, standardError: 0.1, hash: 'h', device, milliseconds: 1 },
});

test('a row has one result per task, the newest, and none where nothing was asked', () => {
  const numbers = new VariantNumbers();
  expect(numbers.rowPart()).toEqual({ perplexity: {}, latency: [] });
  for (const [task, accuracy] of [
    ['a', 0.1],
    ['b', 0.2],
    ['a', 0.3],
  ] as const)
    numbers.recordTask(result(task, accuracy));
  expect(numbers.rowPart().tasks?.map(({ task, accuracy }) => [task, accuracy])).toEqual([
    ['a', 0.3],
    ['b', 0.2],
  ]);
});

test('more tasks than a record holds push the first one out', () => {
  const numbers = new VariantNumbers();
  for (let index = 0; index <= most.tasks; index++) numbers.recordTask(result(`task ${index}`));
  expect(numbers.rowPart().tasks).toHaveLength(most.tasks);
  expect(numbers.rowPart().tasks?.[0]?.task).toBe('task 1');
});
