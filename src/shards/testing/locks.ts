/** @file The browser's lock manager for tests: tabs of one process, each of which can be closed with all that it holds. */
import type { Locks, LockWish } from '../../io/locks';

interface Entry {
  readonly tab: object;
  readonly name: string;
  readonly mode: 'exclusive' | 'shared';
  readonly grant: () => void;
}

/** What all tabs of one browser share. */
export class LockTable {
  #held: Entry[] = [];
  #waiting: Entry[] = [];

  /** A tab's view of it. `close` lets go all that the tab holds and waits for; `waits` counts what it waits for. */
  tab(): Locks & { close(): void; waits(): number } {
    const tab = {};
    const request = async <T>(
      name: string,
      { mode = 'exclusive', ifAvailable = false, signal }: LockWish,
      work: (lock: object | null) => Promise<T>,
    ): Promise<T> => {
      signal?.throwIfAborted();
      if (ifAvailable && !(this.#free(name, mode) && !this.#waiting.some((each) => each.name === name))) {
        return work(null);
      }
      let entry: Entry | undefined;
      await new Promise<void>((grant, reject) => {
        entry = { tab, name, mode, grant };
        const mine = entry;
        this.#waiting.push(mine);
        const stop = (): void => {
          if (!this.#waiting.includes(mine)) return;
          this.#waiting = this.#waiting.filter((each) => each !== mine);
          reject(signal?.reason);
        };
        signal?.addEventListener('abort', stop, { once: true });
        this.#grant();
      });
      try {
        return await work({ name, mode });
      } finally {
        this.#held = this.#held.filter((each) => each !== entry);
        this.#grant();
      }
    };
    const close = (): void => {
      this.#held = this.#held.filter((each) => each.tab !== tab);
      this.#waiting = this.#waiting.filter((each) => each.tab !== tab);
      this.#grant();
    };
    const waits = (): number => this.#waiting.filter((each) => each.tab === tab).length;
    const query = async () => ({ held: this.names().map((name) => ({ name })) });
    return { request, query, close, waits };
  }

  names(): string[] {
    return this.#held.map(({ name }) => name);
  }

  clear(): void {
    this.#held = [];
    this.#grant();
  }

  #free(name: string, mode: Entry['mode']): boolean {
    const held = this.#held.filter((each) => each.name === name);
    return held.length === 0 || (mode === 'shared' && held.every((each) => each.mode === 'shared'));
  }

  /** In the order of the requests. */
  #grant(): void {
    const stuck = new Set<string>();
    for (const entry of [...this.#waiting]) {
      if (stuck.has(entry.name) || !this.#free(entry.name, entry.mode)) {
        stuck.add(entry.name);
        continue;
      }
      this.#waiting = this.#waiting.filter((each) => each !== entry);
      this.#held.push(entry);
      entry.grant();
    }
  }
}

/** Locks of one tab. */
export function fakeLocks(): Locks & { releaseAll(): void } {
  const table = new LockTable();
  return Object.assign(table.tab(), { releaseAll: () => table.clear() });
}

/** Locks that never block: the transactions alone must keep the data right. */
export const noLocks: Locks = {
  request: (_name, _wish, work) => work({}),
  query: async () => ({ held: [] }),
};
