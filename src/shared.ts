/** @file Work that several callers wait for: each may leave at once, and it is stopped when the last one has left. */
import { abortedError, throwIfAborted, unlessAborted } from './errors';
import type { Progress, TaskOptions } from './task';

/**
 * What shared work gets: a signal that fires when no caller waits any more, and a progress callback that reaches all
 * waiting callers.
 */
export interface SharedTask {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
}

export class SharedWork<T> {
  /** The result, for one who does not count among those that wait: it does not keep the work going. */
  readonly result: Promise<T>;
  readonly #controller = new AbortController();
  readonly #listeners = new Set<(progress: Progress) => void>();
  #waiting = 0;
  #state: 'running' | 'done' | 'failed' = 'running';

  /** Begins at once. */
  constructor(work: (task: SharedTask) => Promise<T>) {
    const onProgress = (progress: Progress): void => {
      for (const listener of this.#listeners) listener(progress);
    };
    this.result = work({ signal: this.#controller.signal, onProgress });
    this.result.then(
      () => {
        this.#state = 'done';
      },
      () => {
        this.#state = 'failed';
      },
    );
  }

  /** All callers left before it was done: the next caller starts it again. */
  get abandoned(): boolean {
    return this.#controller.signal.aborted && this.#state !== 'done';
  }

  /** The result; rejects with 'aborted' as soon as the caller's own signal fires. */
  async join({ signal, onProgress }: TaskOptions, what?: string): Promise<T> {
    throwIfAborted(signal, what);
    if (this.abandoned) throw abortedError(what);
    const listener = onProgress && ((progress: Progress) => onProgress(progress)); // its own, though callers may share a function
    if (listener) this.#listeners.add(listener);
    this.#waiting += 1;
    try {
      return await unlessAborted(this.result, signal, what);
    } finally {
      this.#waiting -= 1;
      if (listener) this.#listeners.delete(listener);
      if (this.#waiting === 0 && this.#state === 'running') this.#controller.abort();
    }
  }
}
