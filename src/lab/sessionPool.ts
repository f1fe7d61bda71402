/** @file ONNX Runtime sessions of the open model's variants: opened when needed, a few kept, idle ones let go. */
import { type OpenOptions, type OrtRuntime, type OrtSession, openSession } from '../benchmark/session';
import { anotherAborted, unlessAborted } from '../errors';
import type { ModelShape } from '../model/shape';

interface Entry {
  readonly session: Promise<OrtSession>;
  readonly device: GPUDevice | undefined;
  users: number;
  lastUsed: number;
}

/** Idle sessions to keep: the whole model's, and those of the variants that a person goes to and fro between. */
const keepIdle = 3;

export class SessionPool {
  readonly #entries = new Map<string, Entry>();
  #clock = 0;

  /** Runs `work` with the session of a shape on a runtime; `check` looks at a new session before its first use. */
  async use<T>(
    options: OpenOptions,
    check: (session: OrtSession) => Promise<void>,
    work: (session: OrtSession) => Promise<T>,
  ): Promise<T> {
    const key = keyOf(options.runtime, options.shape);
    const entry = this.#entry(key, options, check);
    entry.users += 1;
    entry.lastUsed = ++this.#clock;
    try {
      return await work(await unlessAborted(entry.session, options.signal, 'Opening the session'));
    } catch (thrown) {
      if (!anotherAborted(thrown, options.signal)) throw thrown;
      return await this.use(options, check, work);
    } finally {
      entry.users -= 1;
      await this.#trim();
    }
  }

  #entry(key: string, options: OpenOptions, check: (session: OrtSession) => Promise<void>): Entry {
    const known = this.#entries.get(key);
    if (known && known.device === options.device) return known;
    if (known) void this.#release(key, known); // its device was lost
    const session = opened(options, check);
    const entry: Entry = { session, device: options.device, users: 0, lastUsed: 0 };
    this.#entries.set(key, entry);
    session.catch(() => {
      if (this.#entries.get(key) === entry) this.#entries.delete(key); // the next call tries again
    });
    return entry;
  }

  async #release(key: string, entry: Entry): Promise<void> {
    if (this.#entries.get(key) === entry) this.#entries.delete(key);
    await entry.session.then(
      (session) => session.release(),
      () => undefined, // it never opened: whoever asked for it has heard
    );
  }

  /** Lets go of idle sessions beyond the few that are kept, the longest unused first. */
  async #trim(keep = keepIdle): Promise<void> {
    const idle = [...this.#entries].filter(([, entry]) => entry.users === 0);
    idle.sort(([, a], [, b]) => b.lastUsed - a.lastUsed);
    await Promise.all(idle.slice(keep).map(([key, entry]) => this.#release(key, entry)));
  }

  /** Lets go of every session; those in use follow the work under way. */
  async dispose(): Promise<void> {
    await Promise.all([...this.#entries].map(([key, entry]) => this.#release(key, entry)));
  }
}

function keyOf(runtime: OrtRuntime, shape: ModelShape): string {
  return `${runtime} ${JSON.stringify(shape.layers)}`;
}

async function opened(options: OpenOptions, check: (session: OrtSession) => Promise<void>): Promise<OrtSession> {
  const session = await openSession(options);
  try {
    await check(session);
    return session;
  } catch (thrown) {
    await session.release();
    throw thrown;
  }
}
