/** @file What crosses between the page and the laboratory's worker: plain data only, errors included. */
import type { Progress } from '../task';
import type { Failure } from './failure';
import type { Session } from './session';

/** The session's methods, as the worker offers them. */
export type SessionMethod = {
  [K in keyof Session]: Session[K] extends (...args: never[]) => Promise<unknown> ? K : never;
}[keyof Session];

export type Outcome<T> = { ok: true; value: T } | { ok: false; failure: Failure };

/** What the worker answers to: jobs by number, so that a page can cancel one. */
export interface WorkerApi {
  /** Progress is sent to `onProgress` (a comlink proxy) while the job runs. */
  call(
    job: number,
    method: string,
    args: unknown[],
    onProgress: ((progress: Progress) => void) | null,
  ): Promise<Outcome<unknown>>;
  cancel(job: number): void;
}
