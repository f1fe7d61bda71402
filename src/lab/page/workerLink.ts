/** @file The page's link to the worker: carries calls, progress, cancellation and errors, and replaces a worker that ended. */
import { proxy, type Remote, wrap } from 'comlink';
import { abortedError, LabError, throwIfAborted, unlessAborted } from '../../errors';
import type { ModelRecord } from '../../report/record';
import type { TaskOptions } from '../../task';
import { checkArguments, checkTask } from '../contract/arguments';
import { type Failure, fromFailure } from '../contract/failure';
import { isSupersededMessage, isTurnMessage, type Outcome, type WorkerApi } from '../contract/protocol';
import type { EngineSettings } from '../contract/settings';
import { type Call, CallsUnderWay, type Hearing } from '../contract/underWay';
import type { WorkerSession } from '../contract/workerSession';
import { watchHeartbeat } from './heartbeat';
import { Listeners } from './listeners';

/** Arguments of a session method after its first one, the task. */
export type Rest<M> = M extends (task: TaskOptions, ...rest: infer R) => unknown ? R : never;
export type Answer<M> = M extends (...args: never[]) => Promise<infer T> ? T : never;

interface Connection {
  worker: Worker;
  api: Remote<WorkerApi>;
  /** Rejects the calls under way when the worker ends. */
  died: Promise<never>;
  /** Ends the worker with this failure. */
  end: (failure: LabError) => void;
  /** Settles when the session of an earlier worker is open again; null for the first worker. */
  restored: Promise<unknown> | null;
}

/**
 * Calls that end at once for a cancelled caller while ONNX Runtime runs another call. The worker drops them when it reads the
 * cancellation; until then they change nothing that is kept.
 */
const leavable: ReadonlySet<keyof WorkerSession> = new Set<keyof WorkerSession>([
  'perplexity',
  'evaluate',
  'latency',
  'generate',
  'importance',
  'survey',
  'widthImportance',
  'profile',
  'memory',
  'export',
  'plan',
  'compare',
  'best',
  'iterate',
]);

/** Calls after which a new worker has to open something else. */
const changing: ReadonlySet<keyof WorkerSession> = new Set<keyof WorkerSession>([
  'load',
  'calibrate',
  'importance',
  'survey',
  'widthImportance',
  'plan',
  'variant',
  'iterate',
  'compare',
  'best',
  'discard',
  'perplexity',
  'evaluate',
  'latency',
  'restoreComparison',
]);

const changingVariants: ReadonlySet<keyof WorkerSession> = new Set<keyof WorkerSession>([
  'variant',
  'iterate',
  'compare',
  'best',
  'discard',
  'evaluate',
  'latency',
  'restoreComparison',
]);

/** A plan that is measured without being kept changes no variant. */
function changesVariants(method: keyof WorkerSession, [target]: readonly unknown[]): boolean {
  if (method === 'perplexity') return typeof target === 'string';
  return changingVariants.has(method);
}

export class WorkerLink {
  /** The link replaced its worker by itself, and why. */
  readonly restarts = new Listeners<string>();
  /** A newer version of the page, in another tab, has taken over the stored models. */
  readonly superseded = new Listeners<Failure>();
  /** A call has changed the variants or their numbers. */
  readonly variantChanges = new Listeners<void>();
  readonly #makeWorker: () => Worker;
  readonly #settings: () => EngineSettings;
  readonly #underWay = new CallsUnderWay();
  #connection: Connection | null = null;
  #nextJob = 1;
  /** The session's record after its last change: enough to open it again in a new worker. */
  #snapshot: ModelRecord | null = null;
  /** Settles when the snapshot contains the changes of the last call. */
  #lastSnapshot: Promise<unknown> = Promise.resolve();
  /** ONNX Runtime did not answer in this worker: the link replaces it as soon as nothing else runs in it. */
  #spoilt: LabError | null = null;

  constructor(makeWorker: () => Worker, settings: () => EngineSettings) {
    this.#makeWorker = makeWorker;
    this.#settings = settings;
    globalThis.addEventListener?.('pagehide', (event) => this.#letGoWhenFrozen(event));
  }

  /** Reports that the worker's thread has not answered for long although a call waits for it, and that it answers again. */
  onSilence(listener: (silent: boolean) => void): void {
    const ping = (): Promise<unknown> | null =>
      this.#connection && Promise.race([this.#connection.api.ping(), this.#connection.died]);
    watchHeartbeat({ ping, waiting: () => this.#underWay.size > 0, onSilence: listener });
  }

  /** Whether the calls of a cancelled task have ended. */
  hearingOf(signal: AbortSignal): Promise<Hearing> {
    if (this.#connection === null) return Promise.resolve('over');
    const { api, died } = this.#connection;
    return this.#underWay.hearing(signal, () => Promise.race([api.ping(), died.catch(() => undefined)]));
  }

  /** The calls that a new worker would lose, except those of the task with this signal. */
  callsBesides(signal: AbortSignal | undefined): Call[] {
    return this.#underWay.besides(signal);
  }

  #connect(): Connection {
    if (this.#connection) return this.#connection;
    const worker = this.#makeWorker();
    let reject: (failure: LabError) => void = () => undefined;
    const died = new Promise<never>((_, rejectDied) => {
      reject = rejectDied;
    });
    died.catch(() => undefined); // every call races it; without calls nothing waits for it
    const isCurrent = (): boolean => this.#connection?.worker === worker;
    const end = (failure: LabError): void => {
      worker.terminate();
      if (isCurrent()) {
        this.#connection = null;
        this.#underWay.clear();
        this.#spoilt = null;
      }
      reject(failure);
    };
    worker.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
      if (isTurnMessage(data) && isCurrent()) this.#underWay.turn = data.turn;
      if (isSupersededMessage(data)) this.superseded.tell(data.superseded);
    });
    worker.addEventListener('error', (event) => {
      const message = `The laboratory's worker stopped: ${event.message || 'it could not be started'}.`;
      const remedy =
        'Start the task again: the model opens from its stored copy. If the error returns, reload the page.';
      end(new LabError('worker', message, remedy));
    });
    const api = wrap<WorkerApi>(worker);
    // Before any other call: messages arrive in their order.
    void api.call(this.#nextJob++, 'configure', [this.#settings()], null);
    const resume = this.#snapshot && api.call(this.#nextJob++, 'restore', [this.#snapshot], null);
    // A model that cannot be opened again is not open: the next call says so itself.
    const restored = resume && Promise.race([resume, died]).catch(() => null);
    this.#connection = { worker, api, died, end, restored };
    return this.#connection;
  }

  /** Ends the worker with all that runs in it; a new one opens the same session from IndexedDB. */
  async restart(): Promise<void> {
    this.#connection?.end(
      new LabError(
        'worker',
        'The laboratory was started again, because a task did not stop. The calls beside it were lost.',
        'Start the task again. The model, its variants and all finished numbers are still there.',
      ),
    );
    const { restored, died } = this.#connect();
    await Promise.race([restored, died]);
  }

  /**
   * A page that the browser freezes must not keep other tabs waiting for a load that does not go on. When the user comes
   * back to it, a new worker opens its session again.
   */
  #letGoWhenFrozen({ persisted }: PageTransitionEvent): void {
    const calls = this.#underWay.besides(undefined);
    const isLoading = calls.some(({ method }) => method === 'load' || method === 'fetchText');
    if (!persisted || !isLoading) return;
    const message = 'The page was left while a model was being loaded.';
    const remedy = 'Load it again: where its server allows it, the download continues where it stopped.';
    this.#connection?.end(new LabError('worker', message, remedy));
  }

  /** Replaces a worker whose ONNX Runtime is lost, once nothing runs in it that would be lost too. */
  #restartWhenIdle(): void {
    if (this.#spoilt === null || this.#underWay.size > 0) return;
    const { message } = this.#spoilt;
    this.#spoilt = null;
    this.#lastSnapshot
      .then(() => this.restart())
      .then(
        () => this.restarts.tell(message),
        (thrown: unknown) => console.warn('The laboratory could not be started again.', thrown),
      );
  }

  async #takeSnapshot({ api, died, worker }: Connection): Promise<void> {
    const outcome = await Promise.race([api.call(this.#nextJob++, 'snapshot', [], null), died]);
    if (outcome.ok && this.#connection?.worker === worker) this.#snapshot = outcome.value as ModelRecord | null;
  }

  /** Calls a method of the session in the worker. */
  async call<K extends keyof WorkerSession>(
    method: K,
    task: TaskOptions | undefined,
    ...args: Rest<WorkerSession[K]>
  ): Promise<Answer<WorkerSession[K]>> {
    // Before anything crosses: only plain data can.
    checkTask(task, method);
    checkArguments(method, args);
    const { signal, onProgress } = task ?? {};
    if (signal?.aborted) throw abortedError();
    const current = this.#connect();
    const { api, died, restored, worker } = current;
    if (restored) await unlessAborted(Promise.race([restored, died]), signal);
    throwIfAborted(signal);
    const job = this.#nextJob++;
    let leave: (failure: LabError) => void = () => undefined;
    const left = new Promise<never>((_, reject) => {
      leave = reject;
    });
    const cancel = (): void => {
      void api.cancel(job);
      if (leavable.has(method) && this.#underWay.onlyWaits(job)) leave(abortedError());
    };
    signal?.addEventListener('abort', cancel, { once: true });
    this.#underWay.begin({ job, method, signal });
    try {
      const answer = api.call(job, method, args as unknown[], onProgress ? proxy(onProgress) : null);
      const outcome = (await Promise.race([answer.catch(notSent), died, left])) as Outcome<Answer<WorkerSession[K]>>;
      if (!outcome.ok) {
        const failure = fromFailure(outcome.failure);
        if (failure.code === 'no-answer' && this.#connection?.worker === worker) this.#spoilt = failure;
        throw failure;
      }
      // Where the worker ends meanwhile, the snapshot before this one serves.
      if (changing.has(method)) this.#lastSnapshot = this.#takeSnapshot(current).catch(() => undefined);
      if (changesVariants(method, args)) this.variantChanges.tell();
      return outcome.value;
    } finally {
      signal?.removeEventListener('abort', cancel);
      this.#underWay.end(job);
      this.#restartWhenIdle();
    }
  }
}

/** Explains a message that could not be sent: a field that the checks do not read holds a function, for example. */
function notSent(thrown: unknown): never {
  if (!(thrown instanceof DOMException && thrown.name === 'DataCloneError')) throw thrown;
  const message = `The arguments hold something that is no plain data: ${thrown.message}`;
  throw new LabError('bad-argument', message, 'Give numbers, strings, lists, plain objects and files only.', {
    cause: thrown,
  });
}
