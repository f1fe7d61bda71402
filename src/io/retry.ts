/** @file Trying again: exponential back-off with jitter, a server's Retry-After honoured. */
import { abortedError, type LabError, throwIfAborted } from '../errors';
import { browserLine, type Line } from './line';

export interface RetryPolicy {
  /** Attempts without progress before the last failure is the answer. */
  readonly attempts: number;
  /** Attempts in all, however far they get; 100 unless told. */
  readonly mostAttempts?: number;
  /** What an attempt must bring to count as progress, bytes; 16 KiB unless told. */
  readonly leastProgress?: number;
  /** Wait before the second attempt, ms; doubles with each further one. */
  readonly firstWait: number;
  /** No wait is longer, ms, except where the server asks for it. */
  readonly longestWait: number;
  /** A server that asks for a longer wait than this, ms, is not waited for. */
  readonly longestAsked: number;
  /** A connection that brings less than 1 KiB in so long, ms, is given up and tried again. */
  readonly silence: number;
  /** Hears of a wait before it begins, ms. */
  readonly onWait?: (milliseconds: number) => void;
  /** Whether the device is connected; the browser's word unless told. Null: do not wait for a connection. */
  readonly line?: Line | null;
  /** Hears that the device is not connected, before the wait for that. */
  readonly onOffline?: () => void;
}

/** Text for the user while nothing arrives. */
export const offlineStage = 'no connection: waiting until this device is online';

export function waitStage(milliseconds: number): string {
  return `the server is busy: trying again in ${Math.ceil(milliseconds / 1000)} s`;
}

const usualMostAttempts = 100;
const usualLeastProgress = 2 ** 14;
const leastAlive = 2 ** 10;

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
 * the one before (by `progress()`, bytes) starts the count again; one that failed while the device was not connected is
 * no attempt, and the next one waits for the connection. Throws the last failure's LabError.
 */
export async function withRetries<T>(
  attempt: () => Promise<T>,
  policy: RetryPolicy,
  signal: AbortSignal | undefined,
  progress: () => number = () => 0,
): Promise<T> {
  const { mostAttempts = usualMostAttempts, leastProgress = usualLeastProgress, line = browserLine } = policy;
  let failures = 0;
  let reached = progress();
  for (let attempts = 1; ; attempts += 1) {
    throwIfAborted(signal, 'The load');
    try {
      return await attempt();
    } catch (thrown) {
      if (!(thrown instanceof PassingFailure)) throw thrown;
      throwIfAborted(signal, 'The load');
      if (attempts >= mostAttempts) throw thrown.failure;
      const now = progress();
      failures = now - reached >= leastProgress ? 1 : failures + 1;
      // What too small steps bring together counts, too.
      if (failures === 1) reached = now;
      if (line && !line.connected()) {
        failures = 0;
        policy.onOffline?.();
        await line.back(signal);
        continue;
      }
      const wait = thrown.askedWait ?? backOff(failures, policy);
      if (failures >= policy.attempts || wait > policy.longestAsked) throw thrown.failure;
      policy.onWait?.(wait);
      await pause(wait, signal);
    }
  }
}

/** What an attempt tells of itself while it runs. */
export interface Pulse {
  /** Bytes came. */
  (bytes: number): void;
  /** Waits for local work, which does not count as silence of the server. */
  own<T>(work: Promise<T>): Promise<T>;
}

/**
 * Runs `attempt` with a signal that also fires when `alive` heard of less than 1 KiB in `silence` ms; the attempt's
 * failure is then the PassingFailure that `failure` makes.
 */
export async function whileAlive<T>(
  attempt: (signal: AbortSignal, alive: Pulse) => Promise<T>,
  silence: number,
  signal: AbortSignal | undefined,
  failure: () => LabError,
): Promise<T> {
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let heard = 0;
  const start = (): void => {
    clearTimeout(timer);
    heard = 0;
    timer = setTimeout(() => controller.abort(), silence);
  };
  const hear = (bytes: number): void => {
    heard += bytes;
    if (heard >= leastAlive) start();
  };
  const own = async <O>(work: Promise<O>): Promise<O> => {
    clearTimeout(timer);
    try {
      return await work;
    } finally {
      start();
    }
  };
  start();
  try {
    return await attempt(
      signal ? AbortSignal.any([signal, controller.signal]) : controller.signal,
      Object.assign(hear, { own }),
    );
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

/** 408, 429 and 5xx pass by themselves, but for what a server does not know how to do; other refusals do not. */
export function mayPass(status: number): boolean {
  return status === 408 || status === 429 || (status >= 500 && status !== 501 && status !== 505);
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
