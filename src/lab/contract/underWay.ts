/**
 * @file The calls that the worker has not answered yet, and which of them it is at: what tells a call that does not stop from
 * one that waits behind it.
 */

/** Whose job ONNX Runtime is at; null where it is nobody's of these, as the opening of a session that several wait for. */
export interface Turn {
  readonly job: number | null;
}

export interface Call {
  readonly job: number;
  readonly method: string;
  readonly signal: AbortSignal | undefined;
}

/**
 * What became of a cancelled task: 'over' when none of its calls is left; 'deaf' when one of them is what runs, and
 * does not stop; 'behind' when another call holds the worker's thread; 'unknown' if something does, but it is not known
 * what.
 */
export type Hearing = 'over' | 'deaf' | 'behind' | 'unknown';

/** How long the worker's thread may take to answer before it counts as busy, ms. */
const pingMs = 2000;

export class CallsUnderWay {
  /** The job that ONNX Runtime runs; null if none. */
  turn: Turn | null = null;
  readonly #calls = new Map<number, Call>();

  begin(call: Call): void {
    this.#calls.set(call.job, call);
  }

  end(job: number): void {
    this.#calls.delete(job);
  }

  /** The worker has ended, and all calls with it. */
  clear(): void {
    this.turn = null;
    this.#calls.clear();
  }

  get size(): number {
    return this.#calls.size;
  }

  /** Calls that are not a task's own: what a new worker would lose. */
  besides(signal: AbortSignal | undefined): Call[] {
    return [...this.#calls.values()].filter((call) => signal === undefined || call.signal !== signal);
  }

  /** Whether ONNX Runtime is at another known call: this one can be left to itself, its worker drops it when it hears. */
  onlyWaits(job: number): boolean {
    return this.turn !== null && this.turn.job !== null && this.turn.job !== job && this.#calls.has(this.turn.job);
  }

  /** Looks at the calls of a task that was cancelled. `ping` resolves when the worker's thread hears. */
  async hearing(signal: AbortSignal, ping: () => Promise<unknown>): Promise<Hearing> {
    const own = (): Call[] => [...this.#calls.values()].filter((call) => call.signal === signal);
    if (own().length === 0) return 'over';
    let timer: ReturnType<typeof setTimeout> | undefined;
    const silence = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), pingMs);
    });
    const heard = await Promise.race([ping().then(() => true), silence]);
    clearTimeout(timer);
    const left = own();
    if (left.length === 0) return 'over';
    // Messages come in order: the thread heard of the cancelling too, and all that waits has left at once.
    if (heard) return 'deaf';
    if (this.turn === null || this.turn.job === null) return 'unknown';
    return left.some(({ job }) => job === this.turn?.job) ? 'deaf' : 'behind';
  }
}
