/** @file A queue that runs one job at a time, in order. A waiting caller may leave immediately. */
import { throwIfAborted, unlessAborted } from './errors';

/** A queue of jobs that must not overlap. */
export class Turns {
  /** Settles when every job that was given so far has ended; never rejects. */
  #last: Promise<unknown> = Promise.resolve();

  /**
   * Runs `job` after all earlier ones have ended. While it waits it rejects with 'aborted' as soon as `signal` fires, and is
   * then never begun; what runs in front goes on. A job that has begun has to look at the signal itself. Never call this
   * from inside a job and wait for it.
   */
  take<T>(job: () => Promise<T>, signal?: AbortSignal, what?: string): Promise<T> {
    const before = this.#last;
    const result = unlessAborted(before, signal, what).then(() => {
      throwIfAborted(signal, what); // it may have fired between the two promises
      return job();
    });
    // The next one waits for those in front too: one that left early must not let it overtake them.
    this.#last = Promise.allSettled([before, result]);
    return result;
  }

  /** Resolves when every job that was given so far has ended; rejects with 'aborted' as soon as `signal` fires. */
  async idle(signal?: AbortSignal, what?: string): Promise<void> {
    await unlessAborted(this.#last, signal, what);
  }
}
