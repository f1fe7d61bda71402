/** @file Work that several callers wait for: each may leave at once, and it is stopped when the last one has left. */
import { abortedError, throwIfAborted, unlessAborted } from './errors';
import type { Progress, TaskOptions } from './task';

export class SharedWork<T> {
  readonly #controller = new AbortController();
  readonly #listeners = new Set<NonNullable<TaskOptions['onProgress']>>();
  readonly #result: Promise<T>;
  #waiting = 0;
  #settled = false;

  /** Begins at once. `work` gets a signal of its own, which fires when nobody waits any more, and tells all who wait. */
  constructor(work: (task: Required<TaskOptions>) => Promise<T>) {
    const onProgress = (progress: Progress): void => {
      for (const listener of this.#listeners) listener(progress);
    };
    this.#result = work({ signal: this.#controller.signal, onProgress });
    const settle = (): void => {
      this.#settled = true;
    };
    this.#result.then(settle, settle);
  }

  /** Everybody left before it was done: who comes now has to begin anew. */
  get abandoned(): boolean {
    return this.#controller.signal.aborted;
  }

  /** The result; rejects with 'aborted' as soon as the caller's own signal fires. */
  async join({ signal, onProgress }: TaskOptions, what?: string): Promise<T> {
    throwIfAborted(signal, what);
    if (this.abandoned) throw abortedError(what);
    const listener = onProgress && ((progress: Progress) => onProgress(progress)); // one per caller, though two share a function
    if (listener) this.#listeners.add(listener);
    this.#waiting += 1;
    try {
      return await unlessAborted(this.#result, signal, what);
    } finally {
      this.#waiting -= 1;
      if (listener) this.#listeners.delete(listener);
      if (this.#waiting === 0 && !this.#settled) this.#controller.abort();
    }
  }
}
