/**
 * @file ONNX Runtime's queue: one thing at a time, since two runs at once on a WebGPU session freeze the worker for
 * good, without an error. Waiting callers may leave the queue; a watchdog watches the running call.
 */
import { LabError } from '../errors';
import { Turns } from '../turns';
import { type Watch, watched } from './watchdog';

export interface Queued {
  /** Lets the job leave while it waits; one that has begun runs to its end. */
  readonly signal?: AbortSignal | undefined;
  /** How long the job may stay silent; without it no watchdog runs. */
  readonly watch?: Watch | undefined;
}

/**
 * Called with the signal of the running job, and with null when none runs. While a job runs, the thread may not
 * respond.
 */
export type TurnListener = (turn: { readonly signal: AbortSignal | undefined } | null) => void;

export class RuntimeQueue {
  readonly #turns = new Turns();
  /** Why nothing can run here any more: a job never answered, and the runtime takes no other beside it. */
  #stuck: LabError | null = null;
  #listener: TurnListener = () => undefined;

  /** Runs `job` after all earlier ones have settled. Never call this from inside a job and wait for it. */
  enqueue<T>(job: (alive: () => void) => Promise<T>, { signal, watch }: Queued = {}): Promise<T> {
    const run = async (): Promise<T> => {
      if (this.#stuck !== null) throw stuckBehind(this.#stuck);
      this.#listener({ signal });
      try {
        return await (watch ? watched((alive) => this.#noticed(job(alive)), watch) : job(() => undefined));
      } catch (thrown) {
        if (thrown instanceof LabError && thrown.code === 'no-answer') this.#stuck = thrown;
        throw thrown;
      } finally {
        this.#listener(null);
      }
    };
    return this.#turns.take(run, signal, 'Waiting for ONNX Runtime');
  }

  /** A late answer: no caller waits for it, but it shows that the runtime is alive. */
  #noticed<T>(answer: Promise<T>): Promise<T> {
    const lives = (): void => {
      this.#stuck = null;
    };
    answer.then(lives, lives);
    return answer;
  }

  /** A job never answered: this worker's ONNX Runtime is lost. */
  get stuck(): boolean {
    return this.#stuck !== null;
  }

  set listener(listener: TurnListener) {
    this.#listener = listener;
  }
}

function stuckBehind(first: LabError): LabError {
  const message = `An earlier call of ONNX Runtime never returned, and ONNX Runtime runs only one call at a time. ${first.message}`;
  return new LabError('no-answer', message, first.remedy, { cause: first });
}

/** Of this thread, which has one ONNX Runtime. */
export const ortQueue = new RuntimeQueue();

export const enqueue: RuntimeQueue['enqueue'] = (job, options) => ortQueue.enqueue(job, options);
