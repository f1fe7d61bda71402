/** @file What crosses between the page and the laboratory's worker: plain data only, errors included. */
import type { Progress } from '../../task';
import type { Failure } from './failure';
import type { Turn } from './underWay';
import type { WorkerSession } from './workerSession';

/** The session's methods, as the worker offers them. */
export type SessionMethod = {
  [K in keyof WorkerSession]: WorkerSession[K] extends (...args: never[]) => Promise<unknown> ? K : never;
}[keyof WorkerSession];

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
  /** Answers when the worker's thread hears. */
  ping(): void;
}

/** What the worker posts by itself: whose job ONNX Runtime begins, before its thread may hear nothing for long, and that it ended. */
export interface TurnMessage {
  readonly turn: Turn | null;
}

export function isTurnMessage(data: unknown): data is TurnMessage {
  return typeof data === 'object' && data !== null && 'turn' in data;
}

/** What the worker posts when a newer version of the page, in another tab, has taken the database over. */
export interface SupersededMessage {
  readonly superseded: Failure;
}

export function isSupersededMessage(data: unknown): data is SupersededMessage {
  return typeof data === 'object' && data !== null && 'superseded' in data;
}
