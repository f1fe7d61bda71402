/** @file One running task per key: starting again cancels the earlier one; failures become state, not exceptions. */
import type { TaskOptions } from '../../task';
import { toFailure } from '../contract/failure';
import type { Call, Hearing } from '../contract/underWay';
import { type Interruption, type Loss, labStore, type TaskKey, type TaskState } from './store';

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
    if (current()) {
      running.delete(key);
      answered(key);
    }
  }
}

/** What a person's Cancel allows a task before the page looks what keeps it: a call of ONNX Runtime cannot be interrupted. */
const graceMs = 5000;
/** Between two looks at a task that waits behind another one. */
const lookMs = 1000;

/** Of the laboratory, what stopping a task needs. */
export interface Stoppable {
  hearingOf(signal: AbortSignal): Promise<Hearing>;
  /** Calls that a new worker would lose, but for the task's own. */
  callsBesides(signal: AbortSignal | undefined): readonly Pick<Call, 'method' | 'signal'>[];
  restart(): Promise<void>;
}

/**
 * Stops the task under a key; its state becomes idle once it has stopped. Where it is what runs, and does not stop within
 * the grace period, the worker has to go with it: at once if nothing else runs there, else the page asks first, naming
 * what would be lost. A task that only waits behind another one never ends a worker.
 */
export function cancelTask(key: TaskKey, lab: Stoppable): void {
  const controller = running.get(key);
  if (!controller) return;
  const again = controller.signal.aborted;
  controller.abort();
  setTimeout(() => void insist(key, controller, lab), again ? 0 : graceMs);
}

async function insist(key: TaskKey, controller: AbortController, lab: Stoppable): Promise<void> {
  const { signal } = controller;
  while (running.get(key) === controller) {
    const hearing = await lab.hearingOf(signal);
    if (running.get(key) !== controller) return;
    if (hearing === 'deaf' || hearing === 'unknown') {
      const loses = lossesOf(lab.callsBesides(signal));
      if (loses.length > 0) setInterruption({ phase: 'asking', task: key, sure: hearing === 'deaf', loses });
      else await restartFor(key, lab);
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, lookMs));
  }
}

/** Tasks of the page by their key, calls of a script by their method; each once. */
function lossesOf(calls: readonly Pick<Call, 'method' | 'signal'>[]): Loss[] {
  const named = calls.map(({ method, signal }): Loss => {
    const [key] = [...running].find(([, controller]) => controller.signal === signal) ?? [];
    return key ?? `lab.${method}`;
  });
  return [...new Set(named)];
}

function setInterruption(interruption: Interruption | null): void {
  labStore.setState({ interruption });
}

/** The laboratory has been silent for long, or is so no more: a person may end it, or wait. */
export function noteSilence(silent: boolean, lab: Pick<Stoppable, 'callsBesides'>): void {
  const { interruption } = labStore.getState();
  const asking = interruption?.phase === 'asking';
  if (silent && !asking) {
    setInterruption({ phase: 'asking', task: null, sure: false, loses: lossesOf(lab.callsBesides(undefined)) });
  } else if (!silent && asking && interruption.task === null) setInterruption(null);
}

/** Ends the worker for a task that does not stop, or because a person asked for it, and says that it did. */
export async function restartFor(key: TaskKey | null, lab: Pick<Stoppable, 'restart'>): Promise<void> {
  setInterruption(null);
  try {
    await lab.restart();
    const reason = key === null ? 'It did not answer.' : 'A cancelled task did not stop.';
    setInterruption({ phase: 'restarted', reason });
  } catch (thrown) {
    failTask(key ?? 'load', thrown);
  }
}

/** A person would rather wait, or has read the news. */
export function dismissInterruption(): void {
  setInterruption(null);
}

/** The question whether to end the worker is over when its task is. */
function answered(key: TaskKey): void {
  const { interruption } = labStore.getState();
  if (interruption?.phase === 'asking' && interruption.task === key) setInterruption(null);
}

/** Stops everything, before another model takes over. */
export function cancelAll(except: readonly TaskKey[] = []): void {
  cancelThese((key) => !except.includes(key));
}

/** Stops the tasks under these keys; what they had not finished is not kept. */
export function cancelThese(belongs: (key: TaskKey) => boolean): void {
  for (const [key, controller] of running) if (belongs(key)) controller.abort();
}

/**
 * A command of the page around `work`: what fails outside a task, as when the worker dies between two calls, becomes the
 * state of the task under `key`, and the command resolves to undefined.
 */
export async function asCommand<T>(key: TaskKey, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (thrown) {
    failTask(key, thrown);
    return undefined;
  }
}

/** Puts a failure that belongs to no call into a key's state. */
export function failTask(key: TaskKey, thrown: unknown): void {
  setTask(key, { phase: 'failed', failure: toFailure(thrown) });
}
