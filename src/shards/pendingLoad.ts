/** @file One model on its way into IndexedDB: written file by file, then committed whole or abandoned. */
import { promisifyRequest } from 'idb-keyval';
import { LabError } from '../errors';
import type { ModelSummary, ShardStoreOptions, StoredFile, StoredModel } from './shardStore';
import { allUnder, quotaError } from './storage';

/** What a load needs of its store. */
interface LoadStore {
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
  readonly #store: LoadStore;
  readonly #load: string;
  readonly #files: StoredFile[] = [];
  readonly #unlock: () => void;
  #written = 0;

  static async start(store: LoadStore, id: string, expectedBytes: number | null): Promise<PendingLoad> {
    const load = `${id} ${Date.now().toString(36)}${Math.random().toString(36).slice(2)}`;
    const unlock = await holdLock(store.locks, load);
    const pending = new PendingLoad(store, id, load, unlock, expectedBytes);
    await pending.#put([[['pending', load], { touched: Date.now() }]]);
    return pending;
  }

  private constructor(store: LoadStore, id: string, load: string, unlock: () => void, expectedBytes: number | null) {
    this.id = id;
    this.expectedBytes = expectedBytes;
    this.#store = store;
    this.#load = load;
    this.#unlock = unlock;
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
      if (previous) store.delete(allUnder('chunk', previous.load));
      return promisifyRequest(store.transaction);
    });
    this.#unlock();
    return model;
  }

  /** Removes all that this load has written. */
  async abandon(): Promise<void> {
    try {
      await this.#store.run('readwrite', `Removing what was loaded of ${this.id}`, (store) => {
        store.delete(allUnder('chunk', this.#load));
        store.delete(['pending', this.#load]);
        return promisifyRequest(store.transaction);
      });
    } finally {
      this.#unlock();
    }
  }

  async #putChunk(file: string, index: number, blob: Blob): Promise<void> {
    try {
      await this.#put([
        [['chunk', this.#load, file, index], blob],
        [['pending', this.#load], { touched: Date.now() }],
      ]);
    } catch (thrown) {
      if (!(thrown instanceof LabError && thrown.code === 'quota')) throw thrown;
      const rest = (this.expectedBytes ?? 0) - this.#written;
      throw quotaError(`Storing ${file}`, Math.max(rest, blob.size), await this.#store.free(), thrown.cause);
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

/** Holds a lock named `name` until the returned function is called; other tabs then leave the load alone. */
function holdLock(locks: LoadStore['locks'], name: string): Promise<() => void> {
  if (!locks) return Promise.resolve(() => undefined);
  return new Promise((resolve, reject) => {
    const held = locks.request(name, () => new Promise<void>((release) => resolve(() => release())));
    held.catch(reject);
  });
}
