/** @file Removes loads of closed tabs, and chunks that belong to no model. */
import { promisifyRequest } from 'idb-keyval';
import { type Locks, readingLock } from '../../io/locks';
import { allUnder } from '../../io/storage';
import type { StoredModel } from './manifest';
import { type PendingRecord, removeLoad } from './pendingLoad';

interface Store {
  readonly locks: Locks;
  run<T>(mode: IDBTransactionMode, what: string, body: (store: IDBObjectStore) => PromiseLike<T>): Promise<T>;
}

/** The load that a 'pending', 'chunk' or 'sum' key belongs to. */
export function loadOf(key: IDBValidKey): string {
  return String((key as IDBValidKey[])[1]);
}

/**
 * Removes the chunks of a load that neither a model nor a load under way needs, unless a tab reads them: then they go
 * when the last one has closed them, or at a later start.
 */
export async function sweep({ locks, run }: Store, load: string): Promise<void> {
  await locks.request(readingLock(load), { ifAvailable: true }, async (lock) => {
    if (lock === null) return;
    await run('readwrite', 'Cleaning up the storage', async (store) => {
      if ((await liveLoads(store))?.has(load) !== false) return;
      store.delete(allUnder('chunk', load));
      store.delete(allUnder('sum', load));
      await promisifyRequest(store.transaction);
    });
  });
}

/** Loads that a model or a load under way needs, within a transaction; null where a newer version's form hides that. */
async function liveLoads(store: IDBObjectStore): Promise<Set<string> | null> {
  const [models, pending] = await Promise.all([
    promisifyRequest<StoredModel[]>(store.getAll(allUnder('model'))),
    promisifyRequest(store.getAllKeys(allUnder('pending'))),
  ]);
  if (models.some(({ version }) => version !== 1)) return null;
  return new Set([...models.map((model) => model.load), ...pending.map(loadOf)]);
}

/**
 * At the start of a tab: removes everything that closed tabs left behind. Downloads that can be taken up again stay.
 */
export async function removeOrphans({ locks, run }: Store): Promise<void> {
  const { dead, orphans } = await run('readonly', 'Cleaning up the storage', async (store) => {
    const [keys, records, chunks, live] = await Promise.all([
      promisifyRequest(store.getAllKeys(allUnder('pending'))),
      promisifyRequest<PendingRecord[]>(store.getAll(allUnder('pending'))),
      promisifyRequest(store.getAllKeys(allUnder('chunk'))),
      liveLoads(store),
    ]);
    const loads = live === null ? [] : chunks.map(loadOf).filter((load) => !live.has(load));
    const pending = keys.map(loadOf).filter((_, at) => records[at]?.resume === undefined);
    return { dead: pending, orphans: [...new Set(loads)] };
  });
  for (const load of dead) {
    // The writer of a load holds its lock. A load with a free lock is dead, because its key is never used again.
    await locks.request(load, { ifAvailable: true }, async (lock) => {
      if (lock === null) return;
      await run('readwrite', 'Cleaning up the storage', async (store) => {
        // It may have become a model before its lock was free.
        if (!(await promisifyRequest(store.get(['pending', load])))) return;
        removeLoad(store, load);
        await promisifyRequest(store.transaction);
      });
    });
  }
  for (const load of orphans) await sweep({ locks, run }, load);
}
