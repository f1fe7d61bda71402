/** @file The worker's entry: one Session, its methods as cancellable jobs. */
import { expose } from 'comlink';
import type { Progress, TaskOptions } from '../task';
import { type Outcome, toFailure, type WorkerApi } from './protocol';
import { Session } from './session';

const session = new Session();
const jobs = new Map<number, AbortController>();

/** At most twenty messages a second: a progress bar shows no more, and the page's thread is for the person. */
const progressInterval = 50;

function throttled(send: (progress: Progress) => void): (progress: Progress) => void {
  let last = 0;
  let stage = '';
  return (progress) => {
    const now = performance.now();
    const matters = progress.done >= progress.total || progress.stage !== stage;
    if (!matters && now - last < progressInterval) return;
    last = now;
    stage = progress.stage;
    send(progress);
  };
}

const api: WorkerApi = {
  async call(job, method, args, onProgress): Promise<Outcome<unknown>> {
    const controller = new AbortController();
    jobs.set(job, controller);
    const task: TaskOptions = {
      signal: controller.signal,
      onProgress: onProgress ? throttled(onProgress) : undefined,
    };
    try {
      const run = session[method as keyof Session] as unknown as (
        task: TaskOptions,
        ...rest: unknown[]
      ) => Promise<unknown>;
      return { ok: true, value: await run.call(session, task, ...args) };
    } catch (thrown) {
      return { ok: false, failure: toFailure(thrown) };
    } finally {
      jobs.delete(job);
    }
  },
  cancel(job) {
    jobs.get(job)?.abort();
  },
};

expose(api);
