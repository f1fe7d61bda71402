/** @file Results of tasks at random, as a row of a comparison has them: shares of whole questions, and a few odd ones. */
import { createRandom, randomInt } from '../../numerics/random';
import type { ComparisonRow, TaskResult } from '../results';

/**
 * Makes the tasks of one row after the other: none, or some. Its random numbers are its own, so that the other parts
 * of a record stay as their seed makes them.
 */
export function randomTasks(seed: number): () => Pick<ComparisonRow, 'tasks'> {
  const random = createRandom(seed + 5000);
  const result = (task: string): TaskResult => {
    const items = 1 + randomInt(random, 100);
    const odd = random() < 0.2;
    const share = (): number => (odd ? random() : randomInt(random, items + 1) / items);
    const accuracy = share();
    const usualError = Math.sqrt((accuracy * (1 - accuracy)) / Math.max(items - 1, 1));
    return {
      ...{ task, items, accuracy, accuracyNorm: share(), standardError: odd ? random() : usualError },
      ...{ hash: `c0ffee${randomInt(random, 3)}`, milliseconds: 1e5 * random() },
      device: { adapter: 'apple m2', software: false, runtime: 'WGSL engine' },
    };
  };
  return () => {
    const tasks = ['story-endings', 'piqa', 'größe.jsonl'].filter(() => random() < 0.3).map(result);
    return tasks.length === 0 ? {} : { tasks };
  };
}
