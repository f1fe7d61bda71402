/**
 * @file Where models rest: IndexedDB, files as Blob chunks, one manifest per complete model.
 *
 * Keys: ['model', id] → StoredModel · ['chunk', load, file, index] → Blob · ['pending', load] → a load under way. Of a
 * download that may be taken up again also ['sum', load, file, index] → the chunk's digest. `patchStore.ts` has the
 * keys of variants, `trainingStore.ts` those of trainings. Each load writes under a key of its own and becomes visible by one transaction at its end, so that
 * a model that is being replaced stays whole until then, and what a crash left behind is recognised at the next start.
 *
 * Several tabs work on one store. What a step reads and what it writes upon that are one transaction. Locks say who
 * works: 'model id' is held by the load of a model, the load's own key by its writer, 'reading load' (shared) by every
 * tab that has the model open, and alone by the code that deletes its chunks: so nothing goes while somebody reads it.
 */
import { promisifyRequest, type UseStore } from 'idb-keyval';
import { LabError } from '../../errors';
import { databaseStore } from '../../io/database';
import { browserLocks, holdLock, LeaseLocks, type Locks, readingLock } from '../../io/locks';
import { allUnder, asStorageError, type Estimate, freeBytes } from '../../io/storage';
import { isReadable, isWhole, readable, type StoredFile, type StoredModel } from './manifest';
import { loadOf, removeOrphans, sweep } from './orphans';
import { PatchStore, removeOrphanPatches, removePatches } from './patchStore';
import { PendingLoad, type PendingRecord, type Resumable, removeLoad } from './pendingLoad';
import { faultOf } from './soundness';
import { TrainingStore } from './trainingStore';

/** 16 MiB: far below the browsers' bound on one value, and little to hold in memory while it fills. */
export const defaultChunkBytes = 16 * 2 ** 20;

export interface ShardStoreOptions {
  /** Name of the database. */
  readonly name?: string;
  readonly chunkBytes?: number;
  /** Access to the object store; by default IndexedDB's. */
  readonly useStore?: UseStore;
  /** Free space; by default the browser's estimate. */
  readonly estimate?: Estimate;
  /** By default the browser's lock manager, or leases in the database where there is none. */
  readonly locks?: Locks | undefined;
  /** Hears that a newer version of the page has taken the database over. */
  readonly onSuperseded?: () => void;
}

/** A stored model that is open: its chunks stay until `release`, whatever other tabs do. */
export interface HeldModel {
  readonly stored: StoredModel;
  release(): Promise<void>;
}

/** A download that stopped on its way, or that another tab has under way. */
export interface Unfinished {
  /** Key of the load. */
  readonly load: string;
  readonly id: string;
  readonly source: string;
  readonly revision: string;
  readonly bytes: number;
  readonly expectedBytes: number | null;
  /** Milliseconds since 1970. */
  readonly touched: number;
  /** A tab works on it. */
  readonly active: boolean;
}

/** Opens the store and removes the remains of broken loads. Throws 'storage'. */
export async function openShardStore(options: ShardStoreOptions = {}): Promise<ShardStore> {
  const store = new ShardStore(options);
  await store.removeOrphans();
  return store;
}

export class ShardStore {
  readonly chunkBytes: number;
  /** The weights of variants. */
  readonly patches: PatchStore;
  readonly trainings: TrainingStore;
  readonly #use: UseStore;
  readonly #estimate: Estimate | undefined;
  readonly #locks: Locks;
  /** Of this tab: how often a load's model is open, and how to let its lock go. */
  readonly #readers = new Map<string, { count: number; readonly release: Promise<(() => void) | null> }>();

  constructor(options: ShardStoreOptions = {}) {
    const scope: { navigator?: Navigator } = globalThis;
    this.chunkBytes = options.chunkBytes ?? defaultChunkBytes;
    const { name = 'secateur', onSuperseded } = options;
    this.#use = options.useStore ?? databaseStore(name, 'shards', onSuperseded ? { onSuperseded } : {});
    this.#estimate = options.estimate ?? scope.navigator?.storage?.estimate?.bind(scope.navigator.storage);
    this.#locks = options.locks ?? browserLocks() ?? new LeaseLocks(this.#use);
    this.patches = new PatchStore(this.#run.bind(this), () => this.free());
    this.trainings = new TrainingStore(this.#run.bind(this), () => this.free(), this.#locks);
  }

  /** All complete models, the last used first. Those in a form of a newer version of the page are left out. */
  async list(): Promise<StoredModel[]> {
    const models = await this.#run<StoredModel[]>('readonly', 'Listing the stored models', (store) =>
      promisifyRequest(store.getAll(allUnder('model'))),
    );
    return models
      .filter(isReadable)
      .filter(isWhole)
      .sort((a, b) => b.lastUsed - a.lastUsed);
  }

  /** The manifest of a complete model, or null. Throws 'storage' for one in the form of a newer version of the page. */
  async find(id: string): Promise<StoredModel | null> {
    const found = await this.#run<StoredModel | undefined>('readonly', 'Looking for a model', (store) =>
      promisifyRequest(store.get(['model', id])),
    );
    return found && isWhole(readable(found)) ? found : null;
  }

  /** The manifest of a complete model, marked as used now. Throws 'not-found'. */
  async open(id: string): Promise<StoredModel> {
    const opened = await this.#touch(id, null);
    if (opened) return opened;
    throw new LabError('not-found', `No stored model has the id '${id}'.`, 'Load it from its source.');
  }

  /** Opens a model and keeps its chunks where they are until it is released. Throws 'not-found'. */
  async hold(id: string): Promise<HeldModel> {
    for (;;) {
      const { load } = (await this.find(id)) ?? (await this.open(id));
      await this.#startReading(load);
      // Another tab may have replaced or forgotten it before the lock was there.
      const stored = await this.#touch(id, load).catch(async (thrown: unknown) => {
        await this.#stopReading(load);
        throw thrown;
      });
      if (stored) return { stored, release: once(() => this.#stopReading(load)) };
      await this.#stopReading(load);
    }
  }

  /** Marks a model as used now, in the transaction that looks for it; null where it is not there or of another load. */
  #touch(id: string, load: string | null): Promise<StoredModel | null> {
    return this.#run('readwrite', 'Opening a model', async (store) => {
      const found = await promisifyRequest<StoredModel | undefined>(store.get(['model', id]));
      if (!found || !isWhole(readable(found)) || (load !== null && found.load !== load)) return null;
      const opened: StoredModel = { ...found, lastUsed: Math.max(found.lastUsed, Date.now()) };
      store.put(opened, ['model', id]);
      await promisifyRequest(store.transaction);
      return opened;
    });
  }

  async #startReading(load: string): Promise<void> {
    const there = this.#readers.get(load);
    const reader = there ?? { count: 0, release: holdLock(this.#locks, readingLock(load), { mode: 'shared' }) };
    reader.count += 1;
    this.#readers.set(load, reader);
    await reader.release;
  }

  /** The last one that reads a load takes its chunks along where no model needs them any more. */
  async #stopReading(load: string): Promise<void> {
    const reader = this.#readers.get(load);
    if (!reader) return; // forgotten in this tab
    reader.count -= 1;
    if (reader.count > 0) return;
    this.#readers.delete(load);
    (await reader.release)?.();
    await this.#sweep(load);
  }

  /**
   * Forgets a model with its variants' weights; an unknown id is fine. The manifest goes at once, and with it the chunks unless another tab has the
   * model open: then they go when that tab closes it. `load`: only if it is still the model of this load.
   */
  async remove(id: string, load: string | null = null): Promise<void> {
    const removed = await this.#run('readwrite', 'Forgetting a model', async (store) => {
      const found = await promisifyRequest<StoredModel | undefined>(store.get(['model', id]));
      if (!found || (load !== null && found.load !== load)) return null;
      const forgotten = readable(found).load;
      store.delete(['model', id]);
      // A copy that cannot be read is removed to be fetched again: the weights of its variants stay.
      if (load === null) removePatches(store, id);
      await promisifyRequest(store.transaction);
      return forgotten;
    });
    if (removed === null) return;
    // Forgetting the open model of this tab frees its space.
    const own = this.#readers.get(removed);
    this.#readers.delete(removed);
    (await own?.release)?.();
    await this.#sweep(removed);
  }

  #sweep(load: string): Promise<void> {
    return sweep({ locks: this.#locks, run: this.#run.bind(this) }, load);
  }

  /**
   * Runs `work` while no other load of the same model runs, in this tab or another. `onWait` hears of the wait, again
   * and again, with what the other load has stored so far.
   */
  async alone<T>(
    id: string,
    work: () => Promise<T>,
    { signal, onWait }: { signal?: AbortSignal | undefined; onWait?: (stored: number, expected: number) => void } = {},
  ): Promise<T> {
    const name = `model ${id}`;
    let release = await holdLock(this.#locks, name, { ifAvailable: true });
    if (release === null) {
      const tell = async (): Promise<void> => {
        const { bytes, expectedBytes } = await this.underway(id);
        onWait?.(bytes, expectedBytes ?? bytes);
      };
      // What the wait shows is decoration: it goes on when it cannot be read.
      const telling = setInterval(() => void tell().catch(() => undefined), waitingMs);
      try {
        await tell().catch(() => undefined);
        release = await holdLock(this.#locks, name, { signal });
      } finally {
        clearInterval(telling);
      }
    }
    try {
      return await work();
    } finally {
      release?.();
    }
  }

  /** The chunks that a model's incomplete loads have stored. */
  async underway(id: string): Promise<{ bytes: number; expectedBytes: number | null }> {
    const records = await this.#run<PendingRecord[]>('readonly', 'Looking at a load', (store) =>
      promisifyRequest(store.getAll(allUnder('pending'))),
    );
    const own = records.filter((record) => record.id === id).sort((a, b) => b.touched - a.touched);
    return { bytes: own[0]?.bytes ?? 0, expectedBytes: own[0]?.expectedBytes ?? null };
  }

  /**
   * Starts to write a model; other code sees it only after the load commits. `expectedBytes` serves messages. A
   * resumable load finds what an earlier one of the same revision has stored.
   */
  begin(
    id: string,
    expectedBytes: number | null = null,
    resumable: Resumable | null = null,
    signal?: AbortSignal,
  ): Promise<PendingLoad> {
    return PendingLoad.start(
      {
        chunkBytes: this.chunkBytes,
        locks: this.#locks,
        run: this.#run.bind(this),
        free: () => this.free(),
        sweep: (load) => this.#sweep(load),
      },
      id,
      expectedBytes,
      resumable,
      signal,
    );
  }

  /** Downloads that can be taken up again, the last touched first. */
  async unfinished(): Promise<Unfinished[]> {
    const held = new Set((await this.#locks.query()).held?.map((lock) => lock.name));
    const found = await this.#run('readonly', 'Listing the unfinished downloads', async (store) => {
      const keys = await promisifyRequest(store.getAllKeys(allUnder('pending')));
      const records = await promisifyRequest<PendingRecord[]>(store.getAll(allUnder('pending')));
      return Promise.all(
        keys.flatMap((key, at) => {
          const { resume, touched } = records[at]!;
          if (!resume) return [];
          const load = loadOf(key);
          const bytes = promisifyRequest<{ bytes: number }[]>(store.getAll(allUnder('sum', load))).then((sums) =>
            sums.reduce((sum, each) => sum + each.bytes, 0),
          );
          return [
            bytes.then((stored): Unfinished => ({ load, ...resume, bytes: stored, touched, active: held.has(load) })),
          ];
        }),
      );
    });
    return found.sort((a, b) => b.touched - a.touched);
  }

  /** Removes an unfinished download. Throws 'bad-argument' while a tab works on it. */
  async discardUnfinished(load: string): Promise<void> {
    const found = (await this.unfinished()).find((each) => each.load === load);
    if (!found) return;
    await this.#locks.request(load, { ifAvailable: true }, async (lock) => {
      if (lock === null) {
        throw new LabError('bad-argument', `${found.source} is being downloaded.`, 'Cancel the download first.');
      }
      await this.#run('readwrite', 'Removing an unfinished download', async (store) => {
        // Its download may have been finished since: the chunks are a model's then.
        if (!(await promisifyRequest(store.get(['pending', load])))) return;
        removeLoad(store, load);
        await promisifyRequest(store.transaction);
      });
    });
  }

  /** Bytes that the browser would still give; null where it does not tell. */
  free(): Promise<number | null> {
    return freeBytes(this.#estimate);
  }

  /** Bytes [begin, end) of a file, freshly copied; touches only the chunks that hold them. */
  async read(model: StoredModel, name: string, begin: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
    const file = storedFile(model, name);
    if (!(Number.isSafeInteger(begin) && Number.isSafeInteger(end) && 0 <= begin && begin <= end && end <= file.size)) {
      const range = `bytes ${begin}…${end} of ${name}, which has ${file.size}`;
      throw new LabError('bad-argument', `Reading ${range}.`, 'Request a range inside the file.');
    }
    const bytes = new Uint8Array(end - begin);
    if (bytes.length === 0) return bytes;
    const first = Math.floor(begin / model.chunkBytes);
    const last = Math.floor((end - 1) / model.chunkBytes);
    const chunks = await this.#chunks(model, name, first, last);
    let at = begin;
    for (const [index, chunk] of chunks.entries()) {
      const start = (first + index) * model.chunkBytes;
      const part = chunk.slice(at - start, Math.min(end - start, chunk.size));
      bytes.set(new Uint8Array(await part.arrayBuffer().catch(asStorageError(`Reading ${name}`))), at - begin);
      at += part.size;
    }
    return bytes;
  }

  /** A whole file, joined from its chunks without copying. */
  async file(model: StoredModel, name: string): Promise<Blob> {
    const { chunks } = storedFile(model, name);
    return new Blob(chunks === 0 ? [] : await this.#chunks(model, name, 0, chunks - 1));
  }

  /** Removes abandoned loads, and chunks that belong to no model. */
  async removeOrphans(): Promise<void> {
    await removeOrphans({ locks: this.#locks, run: this.#run.bind(this) });
    await removeOrphanPatches(this.#run.bind(this));
  }

  /** Null if all chunks of a model are there and readable, or the fault. */
  fault(model: StoredModel, signal?: AbortSignal): Promise<string | null> {
    return faultOf(this.#run.bind(this), model, signal);
  }

  async #chunks(model: StoredModel, name: string, first: number, last: number): Promise<Blob[]> {
    const range = IDBKeyRange.bound(['chunk', model.load, name, first], ['chunk', model.load, name, last]);
    const chunks = await this.#run<Blob[]>('readonly', `Reading ${name}`, (store) =>
      promisifyRequest(store.getAll(range)),
    );
    if (chunks.length === last - first + 1) return chunks;
    throw new LabError(
      'storage',
      `${name} of ${model.source}: expected ${last - first + 1} stored chunks, found ${chunks.length}.`,
      'Load it again from its source, which downloads it again.',
    );
  }

  async #run<T>(mode: IDBTransactionMode, what: string, body: (store: IDBObjectStore) => PromiseLike<T>): Promise<T> {
    return this.#use(mode, body).catch(asStorageError(what));
  }
}

/** How often one that waits for another tab hears of it, ms. */
const waitingMs = 500;

/** A function that does its work at the first call only. */
function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | null = null;
  return () => {
    done ??= work();
    return done;
  };
}

function storedFile(model: StoredModel, name: string): StoredFile {
  const file = model.files.find((each) => each.name === name);
  if (file) return file;
  throw new LabError('missing-file', `${model.source} has no file ${name}.`, 'Load the model again.');
}
