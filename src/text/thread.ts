/**
 * @file Work on files from outside in a thread of its own, which can be ended: a parser or a regular expression that never
 * comes back takes nothing down but its thread. A call is cancelled at once, and a thread that gives no sign of life for
 * `patience` is ended and says so.
 */
import { abortedError, type ErrorCode, LabError, toLabError } from '../errors';
import type { TaskOptions } from '../task';

/** What a method of a thread gets beside its arguments. */
export interface ThreadTask {
  /** Says that the work goes on; throttled. */
  readonly heard: (done: number, total: number) => void;
  /** Asks the caller for something, and waits. */
  readonly ask: (...args: unknown[]) => Promise<unknown>;
}

/** Methods of a thread by name. Arguments and results are cloned. */
export type ThreadMethods = Record<string, (task: ThreadTask, ...args: never[]) => unknown>;

/** The part of a Worker that a thread needs: another one in tests. */
export type WorkerLike = Pick<Worker, 'postMessage' | 'terminate' | 'onmessage' | 'onerror'>;

interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly remedy: string;
}
type Outcome = { readonly value: unknown } | { readonly failure: Failure };
type ToThread =
  | { readonly call: number; readonly method: string; readonly args: readonly unknown[] }
  | { readonly answer: number; readonly outcome: Outcome };
type FromThread =
  | { readonly call: number; readonly outcome: Outcome }
  | { readonly call: number; readonly done: number; readonly total: number }
  | { readonly call: number; readonly question: number; readonly args: readonly unknown[] };

/** Between two messages that say how far a call is, in ms. */
const heardEvery = 100;

export interface ThreadCall extends TaskOptions {
  /** Hears how far the call is. */
  readonly onHeard?: ((done: number, total: number) => void) | undefined;
  /** Answers what the thread asks. */
  readonly onAsk?: ((...args: unknown[]) => Promise<unknown>) | undefined;
}

export interface ThreadOptions {
  /** null: the work is done here, where there are no workers (Node). */
  readonly spawn: (() => WorkerLike) | null;
  readonly methods: ThreadMethods;
  /** Longest silence while a call waits for the thread, in ms. */
  readonly patience: number;
  /** What a silent or broken thread is called in errors. */
  readonly failed: (what: string) => LabError;
}

interface Pending {
  readonly method: string;
  readonly args: readonly unknown[];
  readonly resolve: (value: unknown) => void;
  readonly reject: (thrown: unknown) => void;
  readonly task: ThreadCall;
}

/**
 * Whether web workers can be started: in a page or a worker of it. Node has none, also where the glue of ONNX Runtime has put its
 * own kind of Worker among the globals.
 */
export function hasWebWorkers(): boolean {
  return typeof Worker !== 'undefined' && typeof location !== 'undefined';
}

/** The caller's side. */
export class Thread {
  readonly #options: ThreadOptions;
  #worker: WorkerLike | null;
  /** The thread has said something: its script is there. */
  #begun = false;
  readonly #pending = new Map<number, Pending>();
  #calls = 0;
  /** Questions that wait for our answer: the thread may be silent meanwhile. */
  #asked = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #ended: LabError | null = null;

  constructor(options: ThreadOptions) {
    this.#options = options;
    this.#worker = options.spawn?.() ?? null;
    if (!this.#worker) return;
    this.#worker.onmessage = ({ data }: MessageEvent<FromThread>) => this.#receive(data);
    this.#worker.onerror = (event) => {
      event.preventDefault?.();
      if (!this.#begun) {
        this.#withoutWorker();
        return;
      }
      this.end(this.#options.failed(`its thread failed (${event.message ?? 'no message'})`));
    };
  }

  /** Why it takes no more calls; null while it does. */
  get ended(): LabError | null {
    return this.#ended;
  }

  async call(method: string, args: readonly unknown[], task: ThreadCall = {}): Promise<unknown> {
    const { signal } = task;
    if (signal?.aborted) throw abortedError();
    if (this.#ended) throw this.#ended;
    if (!this.#worker) return this.#here(method, args, task);
    this.#calls += 1;
    const call = this.#calls;
    let stop = (): void => undefined;
    try {
      return await new Promise((resolve, reject) => {
        this.#pending.set(call, { method, args, resolve, reject, task });
        stop = () => {
          reject(abortedError());
          // What computes cannot be told to stop: its thread goes.
          this.end(abortedError('The work of another task in the same thread'));
        };
        signal?.addEventListener('abort', stop, { once: true });
        this.#worker!.postMessage({ call, method, args } satisfies ToThread);
        this.#wait();
      });
    } finally {
      signal?.removeEventListener('abort', stop);
      this.#pending.delete(call);
      this.#wait();
    }
  }

  async #here(method: string, args: readonly unknown[], task: ThreadCall): Promise<unknown> {
    const run = this.#options.methods[method];
    if (!run) throw new Error(`no method ${method}`);
    const heard = (done: number, total: number): void => {
      if (task.signal?.aborted) throw abortedError();
      task.onHeard?.(done, total);
    };
    const ask = task.onAsk ?? (() => Promise.reject(new Error('nobody answers')));
    return run({ heard, ask }, ...(args as never[]));
  }

  /** The script of the thread does not come, as without a network: the work is done here after all. */
  #withoutWorker(): void {
    this.#worker?.terminate();
    this.#worker = null;
    for (const { method, args, task, resolve, reject } of this.#pending.values()) {
      this.#here(method, args, task).then(resolve, reject);
    }
    this.#wait();
  }

  #receive(message: FromThread): void {
    this.#begun = true;
    const pending = this.#pending.get(message.call);
    if (pending && 'outcome' in message) {
      if ('value' in message.outcome) pending.resolve(message.outcome.value);
      else pending.reject(revived(message.outcome.failure));
    } else if (pending && 'done' in message) pending.task.onHeard?.(message.done, message.total);
    else if (pending && 'question' in message) void this.#answer(message.question, message.args, pending.task);
    this.#wait();
  }

  async #answer(question: number, args: readonly unknown[], { onAsk }: ThreadCall): Promise<void> {
    this.#asked += 1;
    this.#wait();
    const outcome = await outcomeOf(async () => onAsk?.(...args));
    this.#asked -= 1;
    if (this.#ended) return;
    this.#worker?.postMessage({ answer: question, outcome } satisfies ToThread);
    this.#wait();
  }

  /** The thread's time starts again. */
  #wait(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#ended || !this.#worker || this.#pending.size === 0 || this.#asked > 0) return;
    const { patience, failed } = this.#options;
    this.#timer = setTimeout(() => this.end(failed(`it did not respond for ${patience / 1000} s`)), patience);
  }

  /** Ends the thread; what waits for it rejects with `reason`. */
  end(reason: LabError): void {
    if (this.#ended) return;
    this.#ended = reason;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#worker?.terminate();
    for (const { reject } of this.#pending.values()) reject(reason);
    this.#pending.clear();
  }
}

/** The thread's side: a worker's `self`, and what it can do. One call follows the other. */
export function serveThread(scope: Pick<Worker, 'postMessage' | 'onmessage'>, methods: ThreadMethods): void {
  const questions = new Map<number, (outcome: Outcome) => void>();
  let asked = 0;
  let last: Promise<unknown> = Promise.resolve();
  const post = (message: FromThread): void => scope.postMessage(message);

  const taskOf = (call: number): ThreadTask => {
    let said = performance.now();
    return {
      heard(done, total) {
        const now = performance.now();
        if (now - said < heardEvery) return;
        said = now;
        post({ call, done, total });
      },
      ask(...args) {
        asked += 1;
        const question = asked;
        return new Promise((resolve, reject) => {
          questions.set(question, (outcome) => {
            if ('value' in outcome) resolve(outcome.value);
            else reject(revived(outcome.failure));
          });
          post({ call, question, args });
        });
      },
    };
  };

  scope.onmessage = ({ data }: MessageEvent<ToThread>) => {
    if ('answer' in data) {
      questions.get(data.answer)?.(data.outcome);
      questions.delete(data.answer);
      return;
    }
    const { call, method, args } = data;
    last = last.then(async () => {
      const outcome = await outcomeOf(async () => methods[method]?.(taskOf(call), ...(args as never[])));
      post({ call, outcome });
    });
  };
}

async function outcomeOf(work: () => Promise<unknown>): Promise<Outcome> {
  try {
    return { value: await work() };
  } catch (thrown) {
    const { code, message, remedy } = toLabError(thrown);
    return { failure: { code, message, remedy } };
  }
}

function revived({ code, message, remedy }: Failure): LabError {
  return new LabError(code, message, remedy);
}
