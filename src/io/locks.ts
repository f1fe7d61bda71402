/**
 * @file Locks between the tabs of one browser: its lock manager, or leases in the database where it has none.
 *
 * A lock tells which tab works on what. Data must stay right without it. Whoever writes checks in the same transaction
 * that what it stands on is still there, since a tab that was frozen may wake after its lock has gone to another.
 */
import { promisifyRequest, type UseStore } from 'idb-keyval';
import { abortedError } from '../errors';
import { allUnder } from './storage';

export interface LockWish {
  /** By default 'exclusive'. */
  readonly mode?: 'exclusive' | 'shared';
  /** Do not wait: the work gets null where the lock is not free. Not together with `signal`. */
  readonly ifAvailable?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** The part of the browser's lock manager that the store uses. */
export interface Locks {
  /** Runs `work` while the lock is held. */
  request<T>(name: string, wish: LockWish, work: (lock: object | null) => Promise<T>): Promise<T>;
  query(): Promise<{ held?: readonly { name?: string }[] }>;
}

/** The browser's locks, or null on pages that are not from https or localhost. */
export function browserLocks(): Locks | null {
  const scope: { navigator?: { locks?: LockManager } } = globalThis;
  const manager = scope.navigator?.locks;
  if (!manager) return null;
  return {
    request: async <T>(name: string, { signal, ...wish }: LockWish, work: (lock: object | null) => Promise<T>) =>
      (await manager.request(name, signal ? { ...wish, signal } : wish, work)) as T,
    query: () => manager.query() as ReturnType<Locks['query']>,
  };
}

/** Holds a lock until the returned function is called; null where it is not free and the wish is not to wait. */
export function holdLock(locks: Locks, name: string, wish: LockWish = {}): Promise<(() => void) | null> {
  return new Promise((resolve, reject) => {
    const hold = (lock: object | null): Promise<void> => {
      if (lock !== null) return new Promise<void>((release) => resolve(release));
      resolve(null);
      return Promise.resolve();
    };
    locks.request(name, wish, hold).catch((thrown: unknown) => {
      reject(wish.signal?.aborted ? abortedError('The load') : thrown);
    });
  });
}

interface Lease {
  readonly owner: string;
  readonly mode: 'exclusive' | 'shared';
  /** Milliseconds since 1970: without a renewal the lease ends then. */
  readonly until: number;
}

export interface LeaseTimes {
  /** How long a lease holds, ms. */
  readonly lease: number;
  /** How often its owner renews it, ms. */
  readonly renewal: number;
  /** How often one that waits looks again, ms. */
  readonly poll: number;
}

const usualTimes: LeaseTimes = { lease: 15_000, renewal: 3_000, poll: 500 };

/** Locks kept in the database under ['lock', name]: those of a closed tab run out. */
export class LeaseLocks implements Locks {
  readonly #use: UseStore;
  readonly #times: LeaseTimes;

  constructor(use: UseStore, times: LeaseTimes = usualTimes) {
    this.#use = use;
    this.#times = times;
  }

  async request<T>(name: string, wish: LockWish, work: (lock: object | null) => Promise<T>): Promise<T> {
    const { mode = 'exclusive', ifAvailable = false, signal } = wish;
    const owner = newOwner();
    while (!(await this.#take(name, owner, mode))) {
      if (ifAvailable) return work(null);
      await this.#wait(signal);
    }
    const renewal = setInterval(() => {
      // Where that fails the lease runs out; the code that writes under it checks for itself.
      this.#change(name, (leases) => leases.map((lease) => this.#renewed(lease, owner))).catch(() => undefined);
    }, this.#times.renewal);
    try {
      if (signal?.aborted) throw abortedError('The load');
      return await work({ name, mode });
    } finally {
      clearInterval(renewal);
      await this.#change(name, (leases) => leases.filter((lease) => lease.owner !== owner)).catch(() => undefined);
    }
  }

  async query(): Promise<{ held: { name: string }[] }> {
    return this.#use('readonly', async (store) => {
      const [keys, records] = await Promise.all([
        promisifyRequest(store.getAllKeys(allUnder('lock'))),
        promisifyRequest<Lease[][]>(store.getAll(allUnder('lock'))),
      ]);
      const now = Date.now();
      const names = keys.map((key) => String((key as IDBValidKey[])[1]));
      return {
        held: names.filter((_, at) => records[at]?.some(({ until }) => until > now)).map((name) => ({ name })),
      };
    });
  }

  /** True when the lock is ours now. */
  async #take(name: string, owner: string, mode: Lease['mode']): Promise<boolean> {
    const mine: Lease = { owner, mode, until: Date.now() + this.#times.lease };
    const leases = await this.#change(name, (others) => {
      const free = others.length === 0 || (mode === 'shared' && others.every((lease) => lease.mode === 'shared'));
      return free ? [...others, mine] : others;
    });
    return leases.includes(mine);
  }

  #renewed(lease: Lease, owner: string): Lease {
    return lease.owner === owner ? { ...lease, until: Date.now() + this.#times.lease } : lease;
  }

  /** Changes the leases of a lock in one transaction; those that ran out are gone before. */
  async #change(name: string, change: (leases: Lease[]) => Lease[]): Promise<Lease[]> {
    return this.#use('readwrite', async (store) => {
      const now = Date.now();
      const before = (await promisifyRequest<Lease[] | undefined>(store.get(['lock', name]))) ?? [];
      const after = change(before.filter(({ until }) => until > now));
      if (after.length > 0) store.put(after, ['lock', name]);
      else store.delete(['lock', name]);
      await promisifyRequest(store.transaction);
      return after;
    });
  }

  #wait(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        clearTimeout(timer);
        reject(abortedError('The load'));
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', stop);
        resolve();
      }, this.#times.poll);
      if (signal?.aborted) stop();
      else signal?.addEventListener('abort', stop, { once: true });
    });
  }
}

/** A name that no other holder has. */
export function newOwner(): string {
  return `${Date.now().toString(36)}${Math.random().toString(36).slice(2)}`;
}

/** Held, shared, by every tab that has the model of a load open. */
export function readingLock(load: string): string {
  return `reading ${load}`;
}
