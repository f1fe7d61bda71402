/** @file The worker's entry: one Session, its methods as cancellable jobs. */
import '../../trusted';
import { expose } from 'comlink';
import { ortQueue } from '../../benchmark/queue';
import { superseded } from '../../io/database';
import type { Progress, TaskOptions } from '../../task';
import { toFailure } from '../contract/failure';
import type { Outcome, SupersededMessage, TurnMessage, WorkerApi } from '../contract/protocol';
import { Session } from './session';

interface Job {
  readonly method: string;
  readonly controller: AbortController;
  readonly settled: Promise<unknown>;
}

const jobs = new Map<number, Job>();

/**
 * Methods that do not touch the open model: another one may open meanwhile. Trainings see to themselves: they let go with a checkpoint
 * before the model or the engine closes.
 */
const separate = new Set([
  'load',
  'preview',
  'restore',
  'texts',
  'addText',
  'readInstructions',
  'fetchText',
  'forgetText',
  'stored',
  'unfinished',
  'forgetUnfinished',
  'forget',
  'retrain',
  'trainings',
  'pauseTraining',
  'resumeTraining',
  'stopTraining',
]);

/** Cancels what works on the open model and waits until it has let go; other loads see to themselves. */
async function quiesce(): Promise<void> {
  const busy = [...jobs.values()].filter((job) => !separate.has(job.method));
  for (const { controller } of busy) controller.abort();
  await Promise.allSettled(busy.map((job) => job.settled));
}

const session = new Session(quiesce, () =>
  postMessage({ superseded: toFailure(superseded('secateur')) } satisfies SupersededMessage),
);

/** Jobs by their signal, which travels with all that they ask for. */
const jobOf = new WeakMap<AbortSignal, number>();

// While ONNX Runtime computes on this thread, no message is heard: the page has to know whose call that is beforehand.
ortQueue.listener = (turn) => {
  const job = turn?.signal && jobOf.get(turn.signal);
  postMessage({ turn: turn && { job: job ?? null } } satisfies TurnMessage);
};

/** At most twenty messages a second: a progress bar shows no more, and the page's thread is for the user. */
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

async function run(method: string, task: TaskOptions, args: unknown[]): Promise<Outcome<unknown>> {
  try {
    const work = session[method as keyof Session] as unknown as (...all: unknown[]) => Promise<unknown>;
    return { ok: true, value: await work.call(session, task, ...args) };
  } catch (thrown) {
    return { ok: false, failure: toFailure(thrown) };
  }
}

const api: WorkerApi = {
  async call(id, method, args, onProgress) {
    const controller = new AbortController();
    const { signal } = controller;
    jobOf.set(signal, id);
    const settled = run(method, { signal, onProgress: onProgress ? throttled(onProgress) : undefined }, args);
    jobs.set(id, { method, controller, settled });
    const outcome = await settled;
    jobs.delete(id);
    return outcome;
  },
  cancel(id) {
    jobs.get(id)?.controller.abort();
  },
  ping() {
    return; // that it answers is the answer
  },
};

expose(api);
