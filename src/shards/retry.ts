/** @file Trying again: exponential back-off with jitter, a server's Retry-After honoured. */
import { abortedError, type LabError, throwIfAborted } from '../errors';

export interface RetryPolicy {
  /** Attempts without any progress before the last failure is the answer. */
  readonly attempts: number;
  /** Wait before the second attempt, ms; doubles with each further one. */
  readonly firstWait: number;
  /** No wait is longer, ms, except where the server asks for it. */
  readonly longestWait: number;
  /** A server that asks for a longer wait than this, ms, is not waited for. */
  readonly longestAsked: number;
  /** A connection that brings nothing for so long, ms, is given up and tried again. */
  readonly silence: number;
  /** Hears of a wait before it begins, ms. */
  readonly onWait?: (milliseconds: number) => void;
}

export const defaultRetryPolicy: RetryPolicy = {
  attempts: 6,
  firstWait: 500,
  longestWait: 30_000,
  longestAsked: 300_000,
  silence: 30_000,
};

/** A failure that may pass: `askedWait` is what the server asked for, ms. */
export class PassingFailure extends Error {
  readonly failure: LabError;
  readonly askedWait: number | null;

  constructor(failure: LabError, askedWait: number | null = null) {
    super(failure.message);
    this.failure = failure;
    this.askedWait = askedWait;
  }
}

/**
 * Calls `attempt` until it resolves or throws something other than a PassingFailure. An attempt that got further than
 * the one before (by `progress()`) starts the count anew. Throws the last failure's LabError.
 */
export async function withRetries<T>(
  attempt: () => Promise<T>,
  policy: RetryPolicy,
  signal: AbortSignal | undefined,
  progress: () => number = () => 0,
): Promise<T> {
  let failures = 0;
  let reached = progress();
  for (;;) {
    throwIfAborted(signal, 'The load');
    try {
      return await attempt();
    } catch (thrown) {
      if (!(thrown instanceof PassingFailure)) throw thrown;
      failures = progress() > reached ? 1 : failures + 1;
      reached = progress();
      const wait = thrown.askedWait ?? backOff(failures, policy);
      if (failures >= policy.attempts || wait > policy.longestAsked) throw thrown.failure;
      policy.onWait?.(wait);
      await pause(wait, signal);
    }
  }
}

/**
 * Runs `attempt` with a signal that also fires when `alive` was not called for `silence` ms; the attempt's failure is
 * then the PassingFailure that `failure` makes.
 */
export async function whileAlive<T>(
  attempt: (signal: AbortSignal, alive: () => void) => Promise<T>,
  silence: number,
  signal: AbortSignal | undefined,
  failure: () => LabError,
): Promise<T> {
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const alive = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => controller.abort(), silence);
  };
  alive();
  try {
    return await attempt(signal ? AbortSignal.any([signal, controller.signal]) : controller.signal, alive);
  } catch (thrown) {
    throw controller.signal.aborted && !signal?.aborted ? new PassingFailure(failure()) : thrown;
  } finally {
    clearTimeout(timer);
  }
}

/** Half of the wait is certain, half is chance, so that connections which failed together do not return together. */
function backOff(failures: number, { firstWait, longestWait }: RetryPolicy): number {
  const wait = Math.min(longestWait, firstWait * 2 ** (failures - 1));
  return wait * (0.5 + 0.5 * Math.random());
}

/** Retry-After in milliseconds, from seconds or a date; null where there is none that one can read. */
export function retryAfter(response: Response, now = Date.now()): number | null {
  const text = response.headers.get('retry-after')?.trim() ?? '';
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return text === '' || Number.isNaN(date) ? null : Math.max(0, date - now);
}

/** 408, 429 and 5xx pass by themselves; other refusals do not. */
export function mayPass(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
}

/** Resolves after so many ms; rejects with 'aborted' as soon as `signal` fires, or at once where it has fired already. */
export function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(abortedError('The load'));
      return;
    }
    const stop = (): void => {
      clearTimeout(timer);
      reject(abortedError('The load'));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, milliseconds);
    signal?.addEventListener('abort', stop, { once: true });
  });
}
