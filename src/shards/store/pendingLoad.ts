/** @file One model on its way into IndexedDB: written file by file, then committed whole or abandoned. */
import { promisifyRequest } from 'idb-keyval';
import { LabError } from '../../errors';
import { holdLock, type Locks, newOwner } from '../../io/locks';
import { allUnder, quotaError } from '../../io/storage';
import type { ModelSummary, StoredFile, StoredModel } from './manifest';
import { removeOtherPatches } from './patchStore';
import type { Validator } from './validator';

/** The part of the store that a load uses. */
export interface LoadStore {
  readonly chunkBytes: number;
  readonly locks: Locks;
  run<T>(mode: IDBTransactionMode, what: string, body: (store: IDBObjectStore) => PromiseLike<T>): Promise<T>;
  free(): Promise<number | null>;
  /** Removes the chunks of a load that no model needs, unless a tab reads them. */
  sweep(load: string): Promise<void>;
}

/** The part of a manifest that only the loader knows. */
export interface ModelFacts {
  readonly source: string;
  readonly revision: string;
  readonly digest: string;
  readonly summary: ModelSummary;
  readonly tensors?: StoredModel['tensors'];
}

/** A load that outlives its tab: what a user needs to take it up again. */
export interface Resumable {
  readonly source: string;
  readonly revision: string;
}

/** The record of a load under way. */
export interface PendingRecord {
  readonly touched: number;
  /** The owner of the load: after another tab took it over, this one writes nothing. */
  readonly owner?: string;
  readonly id?: string;
  /** Stored so far. */
  readonly bytes?: number;
  readonly expectedBytes?: number | null;
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
  /** Stores the rest; the file is complete. `facts` is what else is known of its bytes. */
  close(facts?: FileFacts): Promise<StoredFile>;
}

/** The facts of a file in the manifest. */
export interface FileFacts {
  readonly sha256?: string | undefined;
  readonly validator?: Validator | undefined;
}

/** Another tab took over a load, because this tab did not respond. */
export class TakenOver extends LabError {
  constructor(id: string) {
    super(
      'storage',
      `${id}: another tab took over this download, because this tab did not respond.`,
      'Load it again to open the stored files.',
    );
  }
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
  readonly #owner = newOwner();
  #written = 0;
  /** Stored by this load and by those that it takes up. */
  #stored = 0;

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
    const unlock = await holdLock(store.locks, load, { signal });
    const pending = new PendingLoad(store, id, load, () => unlock?.(), expectedBytes, resumable);
    try {
      await pending.#begin();
    } catch (thrown) {
      unlock?.();
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
    const record = { touched: Date.now(), owner: this.#owner, id, bytes: this.#stored, expectedBytes };
    return this.#resumable ? { ...record, resume: { ...this.#resumable, id, expectedBytes } } : record;
  }

  /** From now on this load is the only one that writes under its key. */
  #begin(): Promise<void> {
    return this.#store.run('readwrite', `Storing ${this.id}`, async (store) => {
      const sums = await promisifyRequest<ChunkSum[]>(store.getAll(allUnder('sum', this.#load)));
      this.#stored = sums.reduce((sum, { bytes }) => sum + bytes, 0);
      store.put(this.#record(), ['pending', this.#load]);
      await promisifyRequest(store.transaction);
    });
  }

  /** Changes what this load has stored, in one transaction, if it is still its own. Throws TakenOver. */
  #change(what: string, change: (store: IDBObjectStore) => void): Promise<void> {
    return this.#store.run('readwrite', what, async (store) => {
      await this.#stillOwn(store);
      change(store);
      await promisifyRequest(store.transaction);
    });
  }

  async #stillOwn(store: IDBObjectStore): Promise<void> {
    const record = await promisifyRequest<PendingRecord | undefined>(store.get(['pending', this.#load]));
    if (record?.owner !== this.#owner) throw new TakenOver(this.id);
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

  /** The facts that a chunk was stored with; null if there is no chunk. */
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
    await this.#change(`Dropping a piece of ${name}`, (store) => {
      store.delete(['chunk', this.#load, name, index]);
      store.delete(['sum', this.#load, name, index]);
    });
  }

  async dropFile(name: string): Promise<void> {
    await this.#change(`Dropping ${name}`, (store) => {
      store.delete(allUnder('chunk', this.#load, name));
      store.delete(allUnder('sum', this.#load, name));
    });
  }

  /** A file whose chunks are all stored and right. */
  complete(name: string, size: number, facts: FileFacts = {}): void {
    this.#files.push(storedFile({ name, size, chunks: Math.ceil(size / this.chunkBytes) }, facts));
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
      close: async (facts = {}) => {
        if (held > 0) await flush();
        const file = storedFile({ name, size, chunks }, facts);
        this.#files.push(file);
        return file;
      },
    };
  }

  /**
   * Makes the model visible in place of another version of it. A model of this revision that another tab has stored
   * meanwhile stays, and is what this resolves to; what this load has brought goes then. Throws TakenOver.
   */
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
    const { kept, replaced } = await this.#store.run('readwrite', `Storing ${id}`, async (store) => {
      await this.#stillOwn(store);
      const previous = await promisifyRequest<StoredModel | undefined>(store.get(['model', id]));
      const same = previous?.load !== this.#load && previous?.revision === model.revision;
      const keep = previous && same && (await isWhole(store, previous)) ? previous : null;
      if (keep) {
        removeLoad(store, this.#load);
        // The same bytes: what their server says of them now is the newer word.
        store.put(withFacts(keep, this.#files), ['model', id]);
      } else {
        store.put(model, ['model', id]);
        await removeOtherPatches(store, model);
        store.delete(['pending', this.#load]);
        store.delete(allUnder('sum', this.#load));
      }
      await promisifyRequest(store.transaction);
      return { kept: keep, replaced: previous && previous.load !== this.#load ? previous.load : null };
    });
    this.#unlock();
    if (!kept && replaced !== null) await this.#store.sweep(replaced);
    return kept ?? model;
  }

  /** Removes all that this load has written. */
  async abandon(): Promise<void> {
    try {
      await this.#change(`Removing what was loaded of ${this.id}`, (store) => removeLoad(store, this.#load));
    } catch (thrown) {
      if (!(thrown instanceof TakenOver)) throw thrown; // the code that took it over sees to it
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
    this.#stored += blob.size;
    const entries: (readonly [IDBValidKey, unknown])[] = [[['chunk', this.#load, file, index], blob], ...more];
    try {
      await this.#change(`Storing ${this.id}`, (store) => {
        for (const [key, value] of entries) store.put(value, key);
        store.put(this.#record(), ['pending', this.#load]);
      });
    } catch (thrown) {
      this.#stored -= blob.size;
      if (!(thrown instanceof LabError && thrown.code === 'quota')) throw thrown;
      const rest = (this.expectedBytes ?? 0) - this.#written;
      const needed = Math.max(rest, blob.size);
      throw quotaError(`Storing ${file}`, needed, await this.#store.free(), { cause: thrown.cause });
    }
    this.#written += blob.size;
  }
}

/** Removes everything that a load has written, within a transaction. */
export function removeLoad(store: IDBObjectStore, load: string): void {
  store.delete(allUnder('chunk', load));
  store.delete(allUnder('sum', load));
  store.delete(['pending', load]);
}

/** Are all chunks of a model there? Within a transaction. */
async function isWhole(store: IDBObjectStore, { load, files }: StoredModel): Promise<boolean> {
  const chunks = files.reduce((sum, file) => sum + file.chunks, 0);
  return (await promisifyRequest(store.count(allUnder('chunk', load)))) === chunks;
}

function withFacts(model: StoredModel, files: readonly StoredFile[]): StoredModel {
  return {
    ...model,
    files: model.files.map((file) =>
      storedFile(
        file,
        files.find(({ name }) => name === file.name),
      ),
    ),
  };
}

function storedFile(file: StoredFile, { sha256, validator }: FileFacts = {}): StoredFile {
  return { ...file, ...(sha256 === undefined ? {} : { sha256 }), ...(validator === undefined ? {} : { validator }) };
}
