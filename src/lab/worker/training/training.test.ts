/** @file Phases, curves and the pace of a training: plain arithmetic. */
import { expect, test } from 'vitest';
import { newRecord } from '../../../retrain/train';
import type { RetrainRequest } from '../../contract/retraining';
import { thinned } from './curve';
import { Pace } from './pace';
import { checkMethod, phasesOf } from './phases';

const request = { steps: 9, batch: 1, learningRate: 1e-3 };

test('the factors of full+lora have the last steps, half of them unless told', () => {
  const phases = (more: Partial<RetrainRequest>) => phasesOf({ ...request, method: 'full+lora', ...more });
  expect(phases({})).toEqual([
    { trains: 'weights', first: 0, steps: 5, learningRate: 1e-3 },
    { trains: 'factors', first: 5, steps: 4, learningRate: 1e-3 },
  ]);
  expect(phases({ loraSteps: 2, loraLearningRate: 3 })[1]).toEqual({
    ...{ trains: 'factors', first: 7, steps: 2, learningRate: 3 },
  });
});

test('an option of another method is named, and so is a part without steps', () => {
  const refusal = (more: Partial<RetrainRequest>): string => {
    try {
      checkMethod({ ...request, method: 'full', ...more });
      return '';
    } catch (thrown) {
      return (thrown as Error).message;
    }
  };
  expect(refusal({ dropout: 0.1 })).toContain("dropout belongs to 'lora' and 'full+lora'");
  expect(refusal({ method: 'lora', loraSteps: 3 })).toContain('loraSteps');
  expect(refusal({ method: 'lora', temperature: 1 })).toContain('temperature');
  expect(refusal({ method: 'full+lora', loraSteps: 9 })).toContain('9 steps');
  expect(refusal({ method: 'full+lora', steps: 1 })).toContain('1 steps');
  expect(refusal({ method: 'distill', weight: 0.1 })).toBe('');
});

test('a long curve keeps its first and its newest point, and 500 at most', () => {
  const points = (count: number) => Array.from({ length: count }, (_, index) => index);
  expect(thinned(points(500))).toEqual(points(500));
  for (const count of [501, 999, 1000, 1001, 12_345]) {
    const few = thinned(points(count));
    expect(few.length).toBeLessThanOrEqual(500);
    expect(few.length).toBeGreaterThan(250);
    expect([few[0], few.at(-1)]).toEqual([0, count - 1]);
    expect(few).toEqual(few.toSorted((a, b) => a - b));
  }
});

test('the pace is that of the last steps; what is left counts evaluations too', () => {
  const pace = new Pace();
  const record = newRecord();
  pace.mark(record);
  expect(pace.tokensPerSecond).toBeNull();
  expect(pace.secondsLeft(5, 1)).toBeNull();
  for (let step = 1; step <= 30; step++) {
    record.losses.push({ step, loss: 1, learningRate: 1 });
    record.tokens += 100;
    record.seconds += step <= 20 ? 10 : 2; // the first steps compile kernels
    pace.mark(record);
  }
  expect(pace.tokensPerSecond).toBe(50);
  expect(pace.secondsLeft(5, 1)).toBe(10);
  pace.evaluated(3);
  pace.evaluated(5);
  expect(pace.secondsLeft(5, 2)).toBe(18);
});
