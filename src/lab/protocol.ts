/** @file What crosses between the page and the laboratory's worker: plain data only, errors included. */
import { LabError, toLabError } from '../errors';
import type { Progress } from '../task';
import type { Session } from './session';

/** The session's methods, as the worker offers them. */
export type SessionMethod = {
  [K in keyof Session]: Session[K] extends (...args: never[]) => Promise<unknown> ? K : never;
}[keyof Session];

/** A LabError as plain data: structured clone would drop `code` and `remedy`. */
export interface Failure {
  code: LabError['code'];
  message: string;
  remedy: string;
}

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

export function toFailure(thrown: unknown): Failure {
  const { code, message, remedy } = toLabError(thrown);
  return { code, message, remedy };
}

export function fromFailure({ code, message, remedy }: Failure): LabError {
  return new LabError(code, message, remedy);
}
