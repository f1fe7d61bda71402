/** @file One running task per key: starting again cancels the earlier one; failures become state, not exceptions. */
import type { TaskOptions } from '../task';
import { toFailure } from './failure';
import { labStore, type TaskKey, type TaskState } from './store';

const running = new Map<TaskKey, AbortController>();

function setTask(key: TaskKey, state: TaskState): void {
  labStore.setState(({ tasks }) => ({ tasks: { ...tasks, [key]: state } }));
}

/** What a task gets, both parts always there. */
export type Task = Required<{ [K in keyof TaskOptions]: NonNullable<TaskOptions[K]> }>;

/**
 * Runs `work` as the task of `key`. Resolves to its result, or to undefined when it failed or was cancelled
 * (the store then says so).
 */
export async function runTask<T>(key: TaskKey, work: (task: Task) => Promise<T>): Promise<T | undefined> {
  running.get(key)?.abort();
  const controller = new AbortController();
  running.set(key, controller);
  const current = () => running.get(key) === controller;
  setTask(key, { phase: 'running', progress: null });
  const task: Task = {
    signal: controller.signal,
    onProgress: (progress) => {
      if (current()) setTask(key, { phase: 'running', progress });
    },
  };
  try {
    const result = await work(task);
    if (controller.signal.aborted) return undefined;
    if (current()) setTask(key, { phase: 'done' });
    return result;
  } catch (thrown) {
    if (!current()) return undefined; // a newer task of this key speaks now
    const failure = toFailure(thrown);
    const stopped = failure.code === 'aborted' || (failure.code === 'worker' && controller.signal.aborted);
    setTask(key, stopped ? { phase: 'idle' } : { phase: 'failed', failure });
    return undefined;
  } finally {
    if (current()) running.delete(key);
  }
}

/** What a person's Cancel allows a task before its worker is ended: a call of ONNX Runtime cannot be interrupted. */
const graceMs = 5000;

/**
 * Stops the task under a key; its state becomes idle once it has stopped. One that does not within the grace period is
 * taken down by `restart`.
 */
export function cancelTask(key: TaskKey, restart: () => Promise<void>): void {
  const controller = running.get(key);
  if (!controller) return;
  controller.abort();
  setTimeout(() => {
    if (running.get(key) === controller) restart().catch((thrown: unknown) => failTask(key, thrown));
  }, graceMs);
}

/** Stops everything, before another model takes over. */
export function cancelAll(except: readonly TaskKey[] = []): void {
  cancelThese((key) => !except.includes(key));
}

/** Stops the tasks under these keys; what they had not finished is not kept. */
export function cancelThese(belongs: (key: TaskKey) => boolean): void {
  for (const [key, controller] of running) if (belongs(key)) controller.abort();
}

/** Puts a failure that belongs to no call into a key's state. */
export function failTask(key: TaskKey, thrown: unknown): void {
  setTask(key, { phase: 'failed', failure: toFailure(thrown) });
}
