/**
 * @file Where models rest: IndexedDB, files as Blob chunks, one manifest per complete model.
 *
 * Keys: ['model', id] → StoredModel · ['chunk', load, file, index] → Blob · ['pending', load] → a load under way.
 * Of a download that may be taken up again also ['sum', load, file, index] → the chunk's digest.
 * Each load writes under a key of its own and becomes visible by one transaction at its end, so that a model that is
 * being replaced stays whole until then, and what a crash left behind is recognised at the next start.
 */
import { createStore, promisifyRequest, type UseStore } from 'idb-keyval';
import { LabError } from '../errors';
import type { ModelShape } from '../model/shape';
import type { StoredDtype } from '../model/weights';
import { PendingLoad, type PendingRecord, type Resumable, removeLoad } from './pendingLoad';
import { allUnder, asStorageError, type Estimate, freeBytes } from './storage';

/** 16 MiB: far below the browsers' bound on one value, and little to hold in memory while it fills. */
export const defaultChunkBytes = 16 * 2 ** 20;

export interface StoredFile {
  readonly name: string;
  readonly size: number;
  readonly chunks: number;
}

/** What a demo's card.json tells. */
export interface StoredCard {
  readonly title: string;
  readonly floorPerplexity?: number;
}

/** What a list of stored models shows without opening them. */
export interface ModelSummary {
  readonly architecture: string;
  readonly shape: ModelShape;
  readonly parameters: number;
  readonly dtype: StoredDtype;
  readonly tokenizer: boolean;
  readonly card?: StoredCard;
  /** Of a model whose configuration ties its head, and which holds a table for it: whether the two differ. */
  readonly ownHead?: boolean;
  /** What a person should know of how the files were read, one sentence each; absent in what earlier versions stored. */
  readonly notes?: readonly string[];
}

/** The manifest of a complete model. */
export interface StoredModel {
  readonly version: 1;
  readonly id: string;
  /** What a person would give to load it again. */
  readonly source: string;
  readonly revision: string;
  readonly files: readonly StoredFile[];
  /** Sum of the files' sizes. */
  readonly bytes: number;
  readonly chunkBytes: number;
  /** Hash of config.json. */
  readonly digest: string;
  /** Milliseconds since 1970, as `lastUsed`. */
  readonly created: number;
  readonly lastUsed: number;
  /** Key of the load that wrote the chunks. */
  readonly load: string;
  readonly summary: ModelSummary;
}

export interface ShardStoreOptions {
  /** Name of the database. */
  readonly name?: string;
  readonly chunkBytes?: number;
  /** Access to the object store; by default idb-keyval's on IndexedDB. */
  readonly useStore?: UseStore;
  /** Free space; by default the browser's estimate. */
  readonly estimate?: Estimate;
  /** Marks loads that other tabs have under way; by default the browser's lock manager, where there is one. */
  readonly locks?: Pick<LockManager, 'request' | 'query'> | undefined;
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

/** Without a lock manager, a load that wrote nothing for so long is taken for dead. */
const staleMilliseconds = 10 * 60_000;

/** Opens the store and removes what broken loads left behind. Throws 'storage'. */
export async function openShardStore(options: ShardStoreOptions = {}): Promise<ShardStore> {
  const store = new ShardStore(options);
  await store.removeOrphans();
  return store;
}

export class ShardStore {
  readonly chunkBytes: number;
  readonly #use: UseStore;
  readonly #estimate: Estimate | undefined;
  readonly #locks: ShardStoreOptions['locks'];

  constructor(options: ShardStoreOptions = {}) {
    const scope: { navigator?: Navigator } = globalThis;
    this.chunkBytes = options.chunkBytes ?? defaultChunkBytes;
    this.#use = options.useStore ?? createStore(options.name ?? 'secateur', 'shards');
    this.#estimate = options.estimate ?? scope.navigator?.storage?.estimate?.bind(scope.navigator.storage);
    this.#locks = 'locks' in options ? options.locks : scope.navigator?.locks;
  }

  /** All complete models, the last used first. */
  async list(): Promise<StoredModel[]> {
    const models = await this.#run<StoredModel[]>('readonly', 'Listing the stored models', (store) =>
      promisifyRequest(store.getAll(allUnder('model'))),
    );
    return models.sort((a, b) => b.lastUsed - a.lastUsed);
  }

  /** The manifest of a complete model, or null. */
  async find(id: string): Promise<StoredModel | null> {
    const found = await this.#run<StoredModel | undefined>('readonly', 'Looking for a model', (store) =>
      promisifyRequest(store.get(['model', id])),
    );
    return found ?? null;
  }

  /** The manifest of a complete model, marked as used now. Throws 'not-found'. */
  async open(id: string): Promise<StoredModel> {
    const found = await this.find(id);
    if (!found) throw new LabError('not-found', `No stored model has the id '${id}'.`, 'Load it from its source.');
    const opened: StoredModel = { ...found, lastUsed: Date.now() };
    await this.#run('readwrite', 'Opening a model', (store) => {
      store.put(opened, ['model', id]);
      return promisifyRequest(store.transaction);
    });
    return opened;
  }

  /** Forgets a model: chunks and manifest in one transaction. An unknown id is fine. */
  async remove(id: string): Promise<void> {
    const found = await this.find(id);
    if (!found) return;
    await this.#run('readwrite', 'Forgetting a model', (store) => {
      store.delete(allUnder('chunk', found.load));
      store.delete(['model', id]);
      return promisifyRequest(store.transaction);
    });
  }

  /**
   * Starts to write a model; until the load commits, nobody sees it. `expectedBytes` serves messages. A resumable load
   * finds what an earlier one of the same revision has stored.
   */
  begin(
    id: string,
    expectedBytes: number | null = null,
    resumable: Resumable | null = null,
    signal?: AbortSignal,
  ): Promise<PendingLoad> {
    return PendingLoad.start(
      { chunkBytes: this.chunkBytes, locks: this.#locks, run: this.#run.bind(this), free: () => this.free() },
      id,
      expectedBytes,
      resumable,
      signal,
    );
  }

  /** Downloads that can be taken up again, the last touched first. */
  async unfinished(): Promise<Unfinished[]> {
    const held = new Set((await this.#locks?.query())?.held?.map((lock) => lock.name));
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
    if (found.active) {
      throw new LabError('bad-argument', `${found.source} is being downloaded.`, 'Cancel the download first.');
    }
    await this.#run('readwrite', 'Removing an unfinished download', (store) => {
      removeLoad(store, load);
      return promisifyRequest(store.transaction);
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
      throw new LabError('bad-argument', `Reading ${range}.`, 'Ask for a range within the file.');
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

  /** Removes loads that nobody finishes any more, and chunks that belong to no model. */
  async removeOrphans(): Promise<void> {
    const dead = await this.#deadLoads();
    await this.#run('readwrite', 'Cleaning up the storage', async (store) => {
      for (const load of dead) store.delete(['pending', load]);
      const [models, pending, chunks] = await Promise.all([
        promisifyRequest<StoredModel[]>(store.getAll(allUnder('model'))),
        promisifyRequest(store.getAllKeys(allUnder('pending'))),
        promisifyRequest(store.getAllKeys(allUnder('chunk'))),
      ]);
      const live = new Set([...models.map((model) => model.load), ...pending.map(loadOf)]);
      const orphans = new Set(chunks.map(loadOf).filter((load) => !live.has(load)));
      for (const load of orphans) store.delete(allUnder('chunk', load));
      return promisifyRequest(store.transaction);
    });
  }

  /** Pending loads whose tab is gone. The locks are asked after the records, so that a new load is never among them. */
  async #deadLoads(): Promise<string[]> {
    const pending = await this.#run('readonly', 'Cleaning up the storage', async (store) => {
      const [keys, records] = await Promise.all([
        promisifyRequest(store.getAllKeys(allUnder('pending'))),
        promisifyRequest<PendingRecord[]>(store.getAll(allUnder('pending'))),
      ]);
      const all = keys.map((key, index) => ({ load: loadOf(key), ...records[index]! }));
      return all.filter(({ resume }) => resume === undefined); // the others wait for their person
    });
    if (this.#locks) {
      const held = new Set((await this.#locks.query()).held?.map((lock) => lock.name));
      return pending.filter(({ load }) => !held.has(load)).map(({ load }) => load);
    }
    const oldest = Date.now() - staleMilliseconds;
    return pending.filter(({ touched }) => touched < oldest).map(({ load }) => load);
  }

  async #chunks(model: StoredModel, name: string, first: number, last: number): Promise<Blob[]> {
    const range = IDBKeyRange.bound(['chunk', model.load, name, first], ['chunk', model.load, name, last]);
    const chunks = await this.#run<Blob[]>('readonly', `Reading ${name}`, (store) =>
      promisifyRequest(store.getAll(range)),
    );
    if (chunks.length === last - first + 1) return chunks;
    throw new LabError(
      'storage',
      `${name} of ${model.source}: expected ${last - first + 1} stored pieces, found ${chunks.length}.`,
      'It was forgotten or replaced in another tab: forget it here as well, then load it again.',
    );
  }

  async #run<T>(mode: IDBTransactionMode, what: string, body: (store: IDBObjectStore) => PromiseLike<T>): Promise<T> {
    return this.#use(mode, body).catch(asStorageError(what));
  }
}

/** The load that a 'pending' or 'chunk' key belongs to. */
function loadOf(key: IDBValidKey): string {
  return String((key as IDBValidKey[])[1]);
}

function storedFile(model: StoredModel, name: string): StoredFile {
  const file = model.files.find((each) => each.name === name);
  if (file) return file;
  throw new LabError('missing-file', `${name} is not among the files of ${model.source}.`, 'Load the model again.');
}
