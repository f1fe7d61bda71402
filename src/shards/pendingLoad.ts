/** @file One model on its way into IndexedDB: written file by file, then committed whole or abandoned. */
import { promisifyRequest } from 'idb-keyval';
import { abortedError, LabError } from '../errors';
import type { ModelSummary, ShardStoreOptions, StoredFile, StoredModel } from './shardStore';
import { allUnder, quotaError } from './storage';

/** What a load needs of its store. */
export interface LoadStore {
  readonly chunkBytes: number;
  readonly locks: ShardStoreOptions['locks'];
  run<T>(mode: IDBTransactionMode, what: string, body: (store: IDBObjectStore) => PromiseLike<T>): Promise<T>;
  free(): Promise<number | null>;
}

/** The part of a manifest that only the loader knows. */
export interface ModelFacts {
  readonly source: string;
  readonly revision: string;
  readonly digest: string;
  readonly summary: ModelSummary;
}

/** A load that outlives its tab: what a person needs to take it up again. */
export interface Resumable {
  readonly source: string;
  readonly revision: string;
}

/** The record of a load under way. */
export interface PendingRecord {
  readonly touched: number;
  readonly resume?: Resumable & { readonly id: string; readonly expectedBytes: number | null };
}

/** A chunk of a file that is not complete: what it must have when it is read back. */
export interface ChunkSum {
  readonly bytes: number;
  readonly sha256: string;
}

/** Takes a file's bytes in order; holds at most one chunk of them. */
export interface FileWriter {
  append(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Stores the rest; the file is complete. */
  close(): Promise<StoredFile>;
}

export class PendingLoad {
  readonly id: string;
  /** Bytes that the whole model will take, for messages; null while unknown. */
  expectedBytes: number | null;
  readonly chunkBytes: number;
  readonly #store: LoadStore;
  readonly #load: string;
  readonly #resumable: Resumable | null;
  readonly #files: StoredFile[] = [];
  readonly #unlock: () => void;
  #written = 0;

  /** A resumable load has the same key each time, and waits until no other tab works on it. */
  static async start(
    store: LoadStore,
    id: string,
    expectedBytes: number | null,
    resumable: Resumable | null = null,
    signal?: AbortSignal,
  ): Promise<PendingLoad> {
    const load = resumable
      ? `${id}@${resumable.revision} ${store.chunkBytes}`
      : `${id} ${Date.now().toString(36)}${Math.random().toString(36).slice(2)}`;
    const unlock = await holdLock(store.locks, load, signal);
    const pending = new PendingLoad(store, id, load, unlock, expectedBytes, resumable);
    try {
      await pending.#put([[['pending', load], pending.#record()]]);
    } catch (thrown) {
      unlock();
      throw thrown;
    }
    return pending;
  }

  private constructor(
    store: LoadStore,
    id: string,
    load: string,
    unlock: () => void,
    expectedBytes: number | null,
    resumable: Resumable | null,
  ) {
    this.id = id;
    this.expectedBytes = expectedBytes;
    this.chunkBytes = store.chunkBytes;
    this.#store = store;
    this.#load = load;
    this.#unlock = unlock;
    this.#resumable = resumable;
  }

  #record(): PendingRecord {
    const { id, expectedBytes } = this;
    const touched = Date.now();
    return this.#resumable ? { touched, resume: { ...this.#resumable, id, expectedBytes } } : { touched };
  }

  /** Chunks of a file that an earlier attempt or this one has stored. */
  sums(name: string): Promise<Map<number, ChunkSum>> {
    return this.#store.run('readonly', `Reading ${name}`, async (store) => {
      const range = allUnder('sum', this.#load, name);
      const [keys, sums] = await Promise.all([
        promisifyRequest(store.getAllKeys(range)),
        promisifyRequest<ChunkSum[]>(store.getAll(range)),
      ]);
      return new Map(keys.map((key, at) => [Number((key as IDBValidKey[])[3]), sums[at]!]));
    });
  }

  /** What a chunk was stored with; null where there is none. */
  async sum(name: string, index: number): Promise<ChunkSum | null> {
    const found = await this.#store.run<ChunkSum | undefined>('readonly', `Reading ${name}`, (store) =>
      promisifyRequest(store.get(['sum', this.#load, name, index])),
    );
    return found ?? null;
  }

  /** A chunk's bytes; null where there is none, or none that the disk still gives. */
  async readChunk(name: string, index: number): Promise<Uint8Array<ArrayBuffer> | null> {
    const blob = await this.#store.run<Blob | undefined>('readonly', `Reading ${name}`, (store) =>
      promisifyRequest(store.get(['chunk', this.#load, name, index])),
    );
    // A Blob whose file is gone cannot be read: the chunk is fetched again, so the reason does not matter.
    const buffer = await blob?.arrayBuffer().catch(() => null);
    return buffer ? new Uint8Array(buffer) : null;
  }

  /** Stores a chunk with its digest, both or neither. A full disk throws 'quota'. */
  putSummed(name: string, index: number, blob: Blob, sum: ChunkSum): Promise<void> {
    return this.#putChunk(name, index, blob, [[['sum', this.#load, name, index], sum]]);
  }

  async dropChunk(name: string, index: number): Promise<void> {
    await this.#store.run('readwrite', `Dropping a piece of ${name}`, (store) => {
      store.delete(['chunk', this.#load, name, index]);
      store.delete(['sum', this.#load, name, index]);
      return promisifyRequest(store.transaction);
    });
  }

  async dropFile(name: string): Promise<void> {
    await this.#store.run('readwrite', `Dropping ${name}`, (store) => {
      store.delete(allUnder('chunk', this.#load, name));
      store.delete(allUnder('sum', this.#load, name));
      return promisifyRequest(store.transaction);
    });
  }

  /** A file whose chunks are all stored and right. */
  complete(name: string, size: number): void {
    this.#files.push({ name, size, chunks: Math.ceil(size / this.chunkBytes) });
  }

  /** Ends a load that another tab has brought to its end: only the record goes where the chunks are the model's. */
  async abandonKeeping(load: string): Promise<void> {
    if (load !== this.#load) return this.abandon();
    try {
      await this.#store.run('readwrite', `Tidying up ${this.id}`, (store) => {
        store.delete(['pending', load]);
        return promisifyRequest(store.transaction);
      });
    } finally {
      this.#unlock();
    }
  }

  /** Ends a failed load: a resumable one keeps what it has, another leaves nothing. */
  async end(): Promise<void> {
    if (this.#resumable && (await this.#hasSums())) this.#unlock();
    else await this.abandon();
  }

  /** When that cannot be told, it is safer to keep what may be there. */
  async #hasSums(): Promise<boolean> {
    try {
      return await this.#store.run(
        'readonly',
        `Looking at ${this.id}`,
        async (store) => (await promisifyRequest(store.count(allUnder('sum', this.#load)))) > 0,
      );
    } catch {
      return true;
    }
  }

  /** Starts a file of the model. A put that finds the disk full throws 'quota'. */
  write(name: string): FileWriter {
    const { chunkBytes } = this.#store;
    let parts: Uint8Array<ArrayBuffer>[] = [];
    let held = 0;
    let chunks = 0;
    let size = 0;
    const flush = async (): Promise<void> => {
      const blob = new Blob(parts);
      parts = [];
      held = 0;
      await this.#putChunk(name, chunks, blob);
      chunks += 1;
    };
    return {
      append: async (bytes) => {
        let at = 0;
        while (at < bytes.length) {
          const part = bytes.subarray(at, at + chunkBytes - held);
          parts.push(part);
          held += part.length;
          size += part.length;
          at += part.length;
          if (held === chunkBytes) await flush();
        }
      },
      close: async () => {
        if (held > 0) await flush();
        const file: StoredFile = { name, size, chunks };
        this.#files.push(file);
        return file;
      },
    };
  }

  /** Makes the model visible; the version that it replaces goes in the same transaction. */
  async commit(facts: ModelFacts): Promise<StoredModel> {
    const { id } = this;
    const now = Date.now();
    const model: StoredModel = {
      version: 1,
      id,
      ...facts,
      files: this.#files,
      bytes: this.#files.reduce((sum, file) => sum + file.size, 0),
      chunkBytes: this.#store.chunkBytes,
      created: now,
      lastUsed: now,
      load: this.#load,
    };
    await this.#store.run('readwrite', `Storing ${id}`, async (store) => {
      const previous = await promisifyRequest<StoredModel | undefined>(store.get(['model', id]));
      store.put(model, ['model', id]);
      store.delete(['pending', this.#load]);
      store.delete(allUnder('sum', this.#load));
      if (previous && previous.load !== this.#load) store.delete(allUnder('chunk', previous.load));
      return promisifyRequest(store.transaction);
    });
    this.#unlock();
    return model;
  }

  /** Removes all that this load has written. */
  async abandon(): Promise<void> {
    try {
      await this.#store.run('readwrite', `Removing what was loaded of ${this.id}`, (store) => {
        removeLoad(store, this.#load);
        return promisifyRequest(store.transaction);
      });
    } finally {
      this.#unlock();
    }
  }

  async #putChunk(
    file: string,
    index: number,
    blob: Blob,
    more: readonly (readonly [IDBValidKey, unknown])[] = [],
  ): Promise<void> {
    try {
      await this.#put([[['chunk', this.#load, file, index], blob], [['pending', this.#load], this.#record()], ...more]);
    } catch (thrown) {
      if (!(thrown instanceof LabError && thrown.code === 'quota')) throw thrown;
      const rest = (this.expectedBytes ?? 0) - this.#written;
      const needed = Math.max(rest, blob.size);
      throw quotaError(`Storing ${file}`, needed, await this.#store.free(), { cause: thrown.cause });
    }
    this.#written += blob.size;
  }

  #put(entries: readonly (readonly [IDBValidKey, unknown])[]): Promise<void> {
    return this.#store.run('readwrite', `Storing ${this.id}`, (store) => {
      for (const [key, value] of entries) store.put(value, key);
      return promisifyRequest(store.transaction);
    });
  }
}

/** Removes what a load has written, within a transaction. */
export function removeLoad(store: IDBObjectStore, load: string): void {
  store.delete(allUnder('chunk', load));
  store.delete(allUnder('sum', load));
  store.delete(['pending', load]);
}

/**
 * Holds a lock named `name` until the returned function is called; other tabs then leave the load alone. Waits while
 * another tab holds it.
 */
function holdLock(locks: LoadStore['locks'], name: string, signal?: AbortSignal): Promise<() => void> {
  if (!locks) return Promise.resolve(() => undefined);
  return new Promise((resolve, reject) => {
    const hold = (): Promise<void> => new Promise<void>((release) => resolve(() => release()));
    const held = locks.request(name, signal ? { signal } : {}, hold);
    held.catch((thrown: unknown) => {
      reject(signal?.aborted ? abortedError('The load') : thrown);
    });
  });
}
