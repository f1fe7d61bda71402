/**
 * @file ONNX Runtime sessions of the open model's variants: opened when needed, kept while there is room for them.
 *
 * There is a budget in bytes for each runtime. Before a session opens, idle ones go until it fits, the longest unused first: a
 * heap that has grown does not shrink. Where memory runs out all the same, every idle one goes and the work is done once more.
 */
import type { GraphPrecision } from '../../benchmark/precision';
import { type OpenOptions, type OrtRuntime, type OrtSession, openSession } from '../../benchmark/session';
import { anotherAborted, LabError, unlessAborted } from '../../errors';
import { SharedWork } from '../../shared';
import { sessionBudget, sessionBytes } from './sessionBudget';

interface Entry {
  readonly opening: SharedWork<OrtSession>;
  readonly runtime: OrtRuntime;
  readonly device: GPUDevice | undefined;
  /** Known once the graph is made. */
  bytes: number;
  users: number;
  lastUsed: number;
  /** No new caller gets it; it is released with its last user. */
  unwanted: boolean;
  released: Promise<void> | null;
}

type Check = (session: OrtSession, signal: AbortSignal) => Promise<void>;
type Work<T> = (session: OrtSession) => Promise<T>;
/** Opens a session, as `openSession` does. */
export type OpenSession = (options: OpenOptions) => Promise<OrtSession>;

export class SessionPool {
  readonly #entries = new Map<string, Entry>();
  /** Entries that are no longer in the map, but still in use. */
  readonly #leaving = new Set<Entry>();
  readonly #memoryBytes: () => number | null;
  readonly #open: OpenSession;
  #clock = 0;
  #closed = false;

  /**
   * @param memoryBytes what a user allows the GPU, null for no bound
   * @param open makes the sessions; ONNX Runtime's unless given
   */
  constructor(memoryBytes: () => number | null = () => null, open: OpenSession = openSession) {
    this.#memoryBytes = memoryBytes;
    this.#open = open;
  }

  /**
   * Runs `work` with the session of a variant on a runtime; `check` looks at a new session before its first use. If memory runs
   * out, the pool releases idle sessions and begins `work` once more.
   */
  async use<T>(id: string, options: OpenOptions, check: Check, work: Work<T>): Promise<T> {
    const key = keyOf(options.runtime, id, options.precision);
    try {
      return await this.#use(key, options, check, work);
    } catch (thrown) {
      if (!(thrown instanceof LabError && thrown.code === 'out-of-memory') || exhausted.has(thrown)) throw thrown;
      // Its own session too, if nobody else is at it: what it holds beside the weights may be what is too much.
      const released = await unlessAborted(this.#releaseIdle(), options.signal, 'Freeing memory');
      if (released === 0) throw withNewHeap(thrown);
      console.warn(`${thrown.message} Idle sessions were released; retrying once.`);
    }
    try {
      return await this.#use(key, options, check, work);
    } catch (thrown) {
      throw withNewHeap(thrown);
    }
  }

  async #use<T>(key: string, options: OpenOptions, check: Check, work: Work<T>): Promise<T> {
    const entry = this.#entry(key, options, check);
    entry.users += 1;
    entry.lastUsed = ++this.#clock;
    try {
      return await work(await entry.opening.join({ signal: options.signal }, 'Opening the session'));
    } catch (thrown) {
      if (!anotherAborted(thrown, options.signal)) throw thrown;
    } finally {
      entry.users -= 1;
      if (entry.unwanted && entry.users === 0) {
        // Behind what ONNX Runtime is at: the caller has its answer.
        this.#release(entry).catch((thrown: unknown) =>
          console.warn('An ONNX Runtime session could not be released.', thrown),
        );
      }
    }
    // All earlier callers have left.
    return await this.#use(key, options, check, work);
  }

  #entry(key: string, options: OpenOptions, check: Check): Entry {
    if (this.#closed) throw new LabError('not-loaded', 'The model was closed.', 'Load it again.');
    const known = this.#entries.get(key);
    if (known && known.device === options.device && !known.opening.abandoned) return known;
    if (known) this.#dismiss(key, known); // its device was lost, or no caller waited for it
    const opening = new SharedWork(async ({ signal }) => {
      await Promise.resolve(); // the entry is made below
      const evictIdle = async (weightBytes: number): Promise<void> => {
        entry.bytes = sessionBytes(options.runtime, weightBytes);
        await this.#makeRoom(entry);
      };
      return this.#opened({ ...options, signal, evictIdle }, (session) => check(session, signal));
    });
    const { runtime, device } = options;
    const state = { bytes: 0, users: 0, lastUsed: 0, unwanted: false, released: null };
    const entry: Entry = { opening, runtime, device, ...state };
    this.#entries.set(key, entry);
    opening.result.catch(() => {
      this.#forget(entry); // the next call tries again
    });
    return entry;
  }

  async #opened(options: OpenOptions, check: (session: OrtSession) => Promise<void>): Promise<OrtSession> {
    const session = await this.#open(options);
    try {
      await check(session);
      return session;
    } catch (thrown) {
      await session.release();
      throw thrown;
    }
  }

  /** Whichever variant has it by now. */
  #forget(entry: Entry): void {
    for (const [key, each] of this.#entries) if (each === entry) this.#entries.delete(key);
  }

  /** Releases idle sessions of the entry's runtime, the longest unused first, until it fits beside the others. */
  async #makeRoom(entry: Entry): Promise<void> {
    const { runtime } = entry;
    const budget = sessionBudget(runtime, this.#memoryBytes());
    for (;;) {
      const all = [...this.#entries].filter(([, each]) => each.runtime === runtime);
      const leaving = [...this.#leaving].filter((each) => each.runtime === runtime);
      const taken = [...all.map(([, each]) => each), ...leaving].reduce((sum, { bytes }) => sum + bytes, 0);
      if (taken <= budget) return;
      const [oldest] = all
        .filter(([, each]) => each !== entry && each.users === 0)
        .sort(([, a], [, b]) => a.lastUsed - b.lastUsed);
      if (oldest === undefined) return; // the others are at work: it may still fit
      const [key, idle] = oldest;
      this.#entries.delete(key);
      await this.#release(idle);
    }
  }

  /** Releases every idle session; resolves to their number. */
  async #releaseIdle(): Promise<number> {
    const idle = [...this.#entries].filter(([, { users }]) => users === 0);
    for (const [key] of idle) this.#entries.delete(key);
    await Promise.all(idle.map(([, entry]) => this.#release(entry)));
    return idle.length;
  }

  /** Takes an entry from those that callers find; it goes now or with its last user. */
  #dismiss(key: string, entry: Entry): Promise<void> {
    if (this.#entries.get(key) === entry) this.#entries.delete(key);
    entry.unwanted = true;
    this.#leaving.add(entry);
    return entry.users === 0 ? this.#release(entry) : Promise.resolve();
  }

  /** Once. A session that is still opening is released when it has opened. */
  #release(entry: Entry): Promise<void> {
    entry.released ??= entry.opening.result
      .then(
        (session) => session.release(),
        () => undefined, // it never opened: the code that asked for it has heard
      )
      .finally(() => this.#leaving.delete(entry));
    return entry.released;
  }

  /** Frees the sessions of a variant, on every runtime; one that is at work goes when its work has ended. */
  async discard(id: string): Promise<void> {
    await Promise.all(
      keysOf(id).map((key) => {
        const entry = this.#entries.get(key);
        return entry && this.#dismiss(key, entry);
      }),
    );
  }

  /** The sessions of one variant are another's from now on: both have the same shape and the same weights. */
  rename(from: string, to: string): void {
    const keys = keysOf(to);
    for (const [at, old] of keysOf(from).entries()) {
      const entry = this.#entries.get(old);
      if (!entry) continue;
      this.#entries.delete(old);
      this.#entries.set(keys[at]!, entry);
    }
  }

  /** Lets go of every session, of those at work behind their work. */
  async clear(): Promise<void> {
    for (const [key, entry] of [...this.#entries]) void this.#dismiss(key, entry);
    await Promise.all([...this.#leaving].map((entry) => this.#release(entry)));
  }

  /** The same, and none is opened any more. */
  async dispose(): Promise<void> {
    this.#closed = true;
    await this.clear();
  }

  /** Bytes of the sessions that are open or opening, by their weights. */
  bytes(runtime: OrtRuntime): number {
    const all = [...this.#entries.values(), ...this.#leaving].filter((entry) => entry.runtime === runtime);
    return all.reduce((sum, { bytes }) => sum + bytes, 0);
  }
}

/** Failures of a use within another one's work, after which that one need not try again: both sessions are wanted at once. */
const exhausted = new WeakSet<LabError>();

/** What helps where memory runs out though nothing is left to release: the heap of ONNX Runtime has grown and fragmented. */
function withNewHeap(thrown: unknown): unknown {
  if (!(thrown instanceof LabError && thrown.code === 'out-of-memory') || exhausted.has(thrown)) return thrown;
  const remedy = `${thrown.remedy} lab.restart() opens the same session with an empty heap.`;
  const failure = new LabError(thrown.code, thrown.message, remedy, { cause: thrown });
  exhausted.add(failure);
  return failure;
}

function keyOf(runtime: OrtRuntime, id: string, precision: GraphPrecision = 'f32'): string {
  return `${runtime} ${precision} ${id}`;
}

/** The keys of all sessions that a variant may have. */
function keysOf(id: string): string[] {
  const runtimes: readonly OrtRuntime[] = ['ort-wasm', 'ort-webgpu'];
  const precisions: readonly GraphPrecision[] = ['f32', 'f16-weights', 'f16'];
  return runtimes.flatMap((runtime) => precisions.map((precision) => keyOf(runtime, id, precision)));
}
