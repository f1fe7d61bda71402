/** @file Tasks of the page: progress, results, failures; and those that are cancelled and stop, do not stop, or wait. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { deferred } from '../../../deferred';
import { abortedError, LabError } from '../../../errors';
import type { Hearing } from '../../contract/underWay';
import type { CallName } from '../laboratory';
import { createLabStore, type LabStore, type TaskKey } from '../store';
import { createTasks, type Task, type Tasks } from './tasks';

let store: LabStore;
let tasks: Tasks;
/** What the laboratory says of cancelled tasks, and which calls run in it. */
let hearing: Hearing;
let calls: CallName[];
const restart = vi.fn(async () => undefined);

beforeEach(() => {
  vi.useFakeTimers();
  restart.mockReset();
  [hearing, calls] = ['deaf', []];
  store = createLabStore();
  tasks = createTasks(store, { hearingOf: async () => hearing, callsBesides: () => calls, restart });
});
afterEach(() => void vi.useRealTimers());

const stateOf = (key: TaskKey) => store.getState().tasks[key];
const interruption = () => store.getState().interruption;

/** A task that ends when `end` says so, whatever its signal. */
function deafTask(key: TaskKey): { end: (failure?: LabError) => Promise<void>; signal: AbortSignal } {
  const work = deferred();
  let signal: AbortSignal | undefined;
  const task = tasks.run(key, (given) => {
    ({ signal } = given);
    return work.promise;
  });
  const end = async (failure = abortedError()): Promise<void> => {
    work.reject(failure);
    await task;
  };
  return { end, signal: signal! };
}

test('a task shows its progress and its end, and gives its result', async () => {
  const answer = deferred<number>();
  let given: Task | undefined;
  const running = tasks.run('live', (task) => {
    given = task;
    return answer.promise;
  });
  expect(stateOf('live')).toEqual({ phase: 'running', progress: null });
  const progress = { stage: 'Measuring', done: 1, total: 2, unit: 'sequences' } as const;
  given?.onProgress(progress);
  expect(stateOf('live')).toEqual({ phase: 'running', progress });
  answer.resolve(7);
  expect(await running).toBe(7);
  expect(stateOf('live')).toEqual({ phase: 'done' });
});

test('a failure is shown until the task is started again', async () => {
  const failed = tasks.run('live', async () => {
    throw new LabError('network', 'No answer.', 'Try again.');
  });
  expect(await failed).toBeUndefined();
  expect(stateOf('live')).toMatchObject({ phase: 'failed', failure: { code: 'network', remedy: 'Try again.' } });
  expect(await tasks.run('live', async () => 3)).toBe(3);
  expect(stateOf('live')).toEqual({ phase: 'done' });
});

test('a task that is started again cancels the earlier one, whose end and progress change nothing', async () => {
  const [first, second] = [deferred<number>(), deferred<number>()];
  let earlier: Task | undefined;
  const older = tasks.run('live', (task) => {
    earlier = task;
    return first.promise;
  });
  const newer = tasks.run('live', () => second.promise);
  expect(earlier?.signal.aborted).toBe(true);
  earlier?.onProgress({ stage: 'old', done: 1, total: 1, unit: 'sequences' });
  first.resolve(1);
  expect(await older).toBeUndefined();
  expect(stateOf('live')).toEqual({ phase: 'running', progress: null });
  second.resolve(2);
  expect(await newer).toBe(2);
});

test('a cancelled task whose work ends in order is idle, and its result is dropped', async () => {
  const work = deferred<number>();
  const running = tasks.run('survey', () => work.promise);
  tasks.cancel('survey');
  work.resolve(1);
  expect(await running).toBeUndefined();
  expect(stateOf('survey')).toEqual({ phase: 'idle' });
});

test('a task that stops in time costs nothing else', async () => {
  const task = deafTask('benchmark');
  tasks.cancel('benchmark');
  await task.end();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(restart).not.toHaveBeenCalled();
  expect(stateOf('benchmark')).toEqual({ phase: 'idle' });
});

test('a task that waits behind another one never ends the worker', async () => {
  const waiting = deafTask('live');
  const front = deafTask('benchmark');
  [hearing, calls] = ['behind', [{ method: 'latency', signal: front.signal }]];
  tasks.cancel('live');
  await vi.advanceTimersByTimeAsync(600_000);
  expect(restart).not.toHaveBeenCalled();
  expect(interruption()).toBeNull();
  await waiting.end();
  await front.end();
});

test('before a task that does not stop ends others with its worker, the page asks and names them', async () => {
  const deaf = deafTask('benchmark');
  const beside = deafTask('generate');
  calls = [
    { method: 'generate', signal: beside.signal },
    { method: 'survey', signal: new AbortController().signal }, // a script's
  ];
  tasks.cancel('benchmark');
  await vi.advanceTimersByTimeAsync(60_000);
  expect(interruption()).toEqual({
    phase: 'asking',
    task: 'benchmark',
    sure: true,
    loses: ['generate', 'lab.survey'],
  });
  expect(restart).not.toHaveBeenCalled();
  tasks.dismissInterruption(); // rather wait
  tasks.cancel('benchmark'); // and think again: asked at once
  await vi.advanceTimersByTimeAsync(0);
  expect(interruption()).toMatchObject({ phase: 'asking' });
  await tasks.restart();
  expect(restart).toHaveBeenCalledTimes(1);
  expect(interruption()).toMatchObject({ phase: 'restarted' });
  await deaf.end(new LabError('worker', 'gone', 'again'));
  expect(stateOf('benchmark')).toEqual({ phase: 'idle' });
  await beside.end();
});

test('the question closes when the task stops after all', async () => {
  const deaf = deafTask('benchmark');
  const beside = deafTask('generate');
  [hearing, calls] = ['unknown', [{ method: 'generate', signal: beside.signal }]];
  tasks.cancel('benchmark');
  await vi.advanceTimersByTimeAsync(5000);
  expect(interruption()).toMatchObject({ phase: 'asking', sure: false });
  await deaf.end();
  expect(interruption()).toBeNull();
  expect(restart).not.toHaveBeenCalled();
  await beside.end();
});

test('a task that does not stop and runs alone ends with its worker, and the page says so', async () => {
  const deaf = deafTask('benchmark');
  tasks.cancel('benchmark');
  await vi.advanceTimersByTimeAsync(4999);
  expect(restart).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect(restart).toHaveBeenCalledTimes(1);
  expect(interruption()).toMatchObject({ phase: 'restarted' });
  await deaf.end();
});

test('a worker that does not start again is a failure of the task that ended it', async () => {
  const deaf = deafTask('benchmark');
  restart.mockRejectedValueOnce(new LabError('worker', 'It could not be started.', 'Reload the page.'));
  tasks.cancel('benchmark');
  await vi.advanceTimersByTimeAsync(5000);
  expect(stateOf('benchmark')).toMatchObject({ phase: 'failed', failure: { remedy: 'Reload the page.' } });
  await deaf.end();
});

test('a silent worker is asked about, and no more once it answers', async () => {
  const running = deafTask('live');
  calls = [{ method: 'perplexity', signal: running.signal }];
  tasks.noteSilence(true);
  expect(interruption()).toEqual({ phase: 'asking', task: null, sure: false, loses: ['live'] });
  tasks.noteSilence(false);
  expect(interruption()).toBeNull();
  tasks.noteSilence(true);
  await tasks.restart();
  expect(interruption()).toMatchObject({ phase: 'restarted', reason: 'It did not answer.' });
  await running.end();
});
