/** @file One running task per key: starting it again cancels the earlier one; failures become state, not exceptions. */
import type { TaskOptions } from '../../../task';
import { toFailure } from '../../contract/failure';
import type { Lab } from '../../contract/types';
import type { CallName, LabWorker } from '../laboratory';
import type { Interruption, LabStore, Loss, TaskKey, TaskState } from '../store';

/** The options of a task, both always there. */
export type Task = Required<{ [K in keyof TaskOptions]: NonNullable<TaskOptions[K]> }>;

/** The part of the laboratory that ends tasks. */
export interface Stoppable extends Pick<LabWorker, 'hearingOf' | 'callsBesides'>, Pick<Lab, 'restart'> {}

export interface Tasks {
  /**
   * Runs `work` as the task of `key`. Resolves to its result, or to undefined when it failed or was cancelled
   * (the store then says so).
   */
  run<T>(key: TaskKey, work: (task: Task) => Promise<T>): Promise<T | undefined>;
  /**
   * Runs a command around its tasks: a failure outside a task, as when the worker dies between two calls, becomes the
   * state of the task under `key`, and the command resolves to undefined.
   */
  command<T>(key: TaskKey, work: () => Promise<T>): Promise<T | undefined>;
  /** Puts a failure that belongs to no call into a key's state. */
  fail(key: TaskKey, thrown: unknown): void;
  /** Cancels the tasks under these keys; their unfinished results are dropped. */
  cancelThese(belongs: (key: TaskKey) => boolean): void;
  /**
   * Cancels the task under a key for the user; its state becomes idle once it has stopped. If the task is what runs and
   * does not stop within the grace period, its worker has to end: at once if nothing else runs there, otherwise after a
   * question that names what would be lost. A task that waits behind another one never ends a worker.
   */
  cancel(key: TaskKey): void;
  /** The worker has been silent for long, or answers again: the user may end it, or wait. */
  noteSilence(silent: boolean): void;
  /** The user agrees to end the worker that the page asks about. */
  restart(): Promise<void>;
  /** The user waits on, or has read that the worker was replaced. */
  dismissInterruption(): void;
}

/** How long a cancelled task may run on before the page finds out why: a call of ONNX Runtime cannot be interrupted. */
const graceMs = 5000;
/** Between two checks of a task that waits behind another one. */
const lookMs = 1000;

export function createTasks({ setState, getState }: LabStore, lab: Stoppable): Tasks {
  const running = new Map<TaskKey, AbortController>();

  const setTask = (key: TaskKey, state: TaskState): void =>
    setState(({ tasks }) => ({ tasks: { ...tasks, [key]: state } }));
  const setInterruption = (interruption: Interruption | null): void => setState({ interruption });
  const fail = (key: TaskKey, thrown: unknown): void => setTask(key, { phase: 'failed', failure: toFailure(thrown) });

  async function run<T>(key: TaskKey, work: (task: Task) => Promise<T>): Promise<T | undefined> {
    running.get(key)?.abort();
    const controller = new AbortController();
    running.set(key, controller);
    const isCurrent = (): boolean => running.get(key) === controller;
    setTask(key, { phase: 'running', progress: null });
    const task: Task = {
      signal: controller.signal,
      onProgress: (progress) => {
        if (isCurrent()) setTask(key, { phase: 'running', progress });
      },
    };
    try {
      const result = await work(task);
      if (isCurrent()) setTask(key, { phase: controller.signal.aborted ? 'idle' : 'done' });
      return controller.signal.aborted ? undefined : result;
    } catch (thrown) {
      if (!isCurrent()) return undefined; // the state of this key belongs to a newer task
      const failure = toFailure(thrown);
      const stopped = failure.code === 'aborted' || (failure.code === 'worker' && controller.signal.aborted);
      setTask(key, stopped ? { phase: 'idle' } : { phase: 'failed', failure });
      return undefined;
    } finally {
      if (isCurrent()) {
        running.delete(key);
        closeQuestion(key);
      }
    }
  }

  /** The question whether to end the worker closes when its task has ended. */
  function closeQuestion(key: TaskKey): void {
    const { interruption } = getState();
    if (interruption?.phase === 'asking' && interruption.task === key) setInterruption(null);
  }

  /** Finds out why a cancelled task runs on, and ends the worker or asks. */
  async function insist(key: TaskKey, controller: AbortController): Promise<void> {
    const { signal } = controller;
    while (running.get(key) === controller) {
      const hearing = await lab.hearingOf(signal);
      if (running.get(key) !== controller) return;
      if (hearing === 'deaf' || hearing === 'unknown') {
        const loses = lossesOf(lab.callsBesides(signal));
        if (loses.length > 0) setInterruption({ phase: 'asking', task: key, sure: hearing === 'deaf', loses });
        else await endWorker(key);
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, lookMs));
    }
  }

  /** Tasks of the page by their key, calls of a script by their method; each once. */
  function lossesOf(calls: readonly CallName[]): Loss[] {
    const named = calls.map(({ method, signal }): Loss => {
      const [key] = [...running].find(([, controller]) => controller.signal === signal) ?? [];
      return key ?? `lab.${method}`;
    });
    return [...new Set(named)];
  }

  /** Ends the worker for a task that does not stop, or because the user asked for it, and says that it did. */
  async function endWorker(key: TaskKey | null): Promise<void> {
    setInterruption(null);
    try {
      await lab.restart();
      const reason = key === null ? 'It did not answer.' : 'A cancelled task did not stop.';
      setInterruption({ phase: 'restarted', reason });
    } catch (thrown) {
      fail(key ?? 'load', thrown);
    }
  }

  return {
    run,
    fail,
    async command(key, work) {
      try {
        return await work();
      } catch (thrown) {
        fail(key, thrown);
        return undefined;
      }
    },
    cancelThese(belongs) {
      for (const [key, controller] of running) if (belongs(key)) controller.abort();
    },
    cancel(key) {
      const controller = running.get(key);
      if (!controller) return;
      const again = controller.signal.aborted;
      controller.abort();
      setTimeout(() => void insist(key, controller), again ? 0 : graceMs);
    },
    noteSilence(silent) {
      const { interruption } = getState();
      const asking = interruption?.phase === 'asking';
      if (silent && !asking) {
        setInterruption({ phase: 'asking', task: null, sure: false, loses: lossesOf(lab.callsBesides(undefined)) });
      } else if (!silent && asking && interruption.task === null) setInterruption(null);
    },
    async restart() {
      const { interruption } = getState();
      if (interruption?.phase === 'asking') await endWorker(interruption.task);
    },
    dismissInterruption: () => setInterruption(null),
  };
}
