import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { deferred } from '../../deferred';
import { abortedError, LabError } from '../../errors';
import type { Hearing } from '../contract/underWay';
import { initialState, labStore } from './store';
import { cancelTask, dismissInterruption, restartFor, runTask, type Stoppable } from './tasks';

beforeEach(() => {
  vi.useFakeTimers();
  labStore.setState(initialState, true);
});
afterEach(() => void vi.useRealTimers());

/** A task that ends when `end` says so, whatever its signal. */
function deafTask(key: 'benchmark' | 'live' | 'generate'): {
  end: (failure?: LabError) => Promise<void>;
  signal: AbortSignal;
} {
  const work = deferred();
  let signal: AbortSignal | undefined;
  const task = runTask(key, (given) => {
    ({ signal } = given);
    return work.promise;
  });
  const end = async (failure = abortedError()): Promise<void> => {
    work.reject(failure);
    await task;
  };
  return { end, signal: signal! };
}

function laboratory(hearing: () => Hearing, calls: ReturnType<Stoppable['callsBesides']> = []) {
  const restart = vi.fn(async () => undefined);
  return { hearingOf: async () => hearing(), callsBesides: () => calls, restart };
}

const interruption = () => labStore.getState().interruption;

test('a task that stops in time costs nobody anything', async () => {
  const task = deafTask('benchmark');
  const lab = laboratory(() => 'deaf');
  cancelTask('benchmark', lab);
  await task.end();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(lab.restart).not.toHaveBeenCalled();
  expect(labStore.getState().tasks.benchmark).toEqual({ phase: 'idle' });
});

test('a task that waits behind another one never ends the worker', async () => {
  const waiting = deafTask('live');
  const front = deafTask('benchmark');
  const lab = laboratory(() => 'behind', [{ method: 'latency', signal: front.signal }]);
  cancelTask('live', lab);
  await vi.advanceTimersByTimeAsync(600_000);
  expect(lab.restart).not.toHaveBeenCalled();
  expect(interruption()).toBeNull();
  await waiting.end();
  await front.end();
});

test('a deaf task beside which others run is asked about, by name; nothing ends before the answer', async () => {
  const deaf = deafTask('benchmark');
  const beside = deafTask('generate');
  const script = new AbortController().signal;
  const calls = [
    { method: 'generate', signal: beside.signal },
    { method: 'survey', signal: script },
  ];
  const lab = laboratory(() => 'deaf', calls);
  cancelTask('benchmark', lab);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(interruption()).toEqual({
    phase: 'asking',
    task: 'benchmark',
    sure: true,
    loses: ['generate', 'lab.survey'],
  });
  expect(lab.restart).not.toHaveBeenCalled();
  dismissInterruption(); // rather wait
  cancelTask('benchmark', lab); // and think again: asked at once
  await vi.advanceTimersByTimeAsync(0);
  expect(interruption()).toMatchObject({ phase: 'asking' });
  await restartFor('benchmark', lab);
  expect(lab.restart).toHaveBeenCalledTimes(1);
  expect(interruption()).toMatchObject({ phase: 'restarted' });
  await deaf.end(new LabError('worker', 'gone', 'again'));
  expect(labStore.getState().tasks.benchmark).toEqual({ phase: 'idle' });
  await beside.end();
});

test('the question goes away when the task stops after all', async () => {
  const deaf = deafTask('benchmark');
  const beside = deafTask('generate');
  const lab = laboratory(() => 'unknown', [{ method: 'generate', signal: beside.signal }]);
  cancelTask('benchmark', lab);
  await vi.advanceTimersByTimeAsync(5000);
  expect(interruption()).toMatchObject({ phase: 'asking', sure: false });
  await deaf.end();
  expect(interruption()).toBeNull();
  expect(lab.restart).not.toHaveBeenCalled();
  await beside.end();
});

test('a deaf task with nothing beside it takes its worker down, and the page says so', async () => {
  const deaf = deafTask('benchmark');
  const lab = laboratory(() => 'deaf');
  cancelTask('benchmark', lab);
  await vi.advanceTimersByTimeAsync(4999);
  expect(lab.restart).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect(lab.restart).toHaveBeenCalledTimes(1);
  expect(interruption()).toMatchObject({ phase: 'restarted' });
  await deaf.end();
});
