/**
 * @file One object store of an IndexedDB database, opened at its first use and again where the browser closed it.
 *
 * A newer version of the page that wants another form of the database gets it: this tab lets go of its connection, and
 * every later use says that the page is to be reloaded. A database of a newer version is refused and left as it is.
 */
import type { UseStore } from 'idb-keyval';
import { LabError } from '../errors';

export interface DatabaseOptions {
  /** Form of the database; what this code reads and writes. */
  readonly version?: number;
  /** Hears that a newer version of the page has taken the database over. */
  readonly onSuperseded?: (name: string) => void;
  /** How long an upgrade waits for older tabs before it says so, ms. */
  readonly patience?: number;
}

/** Access to `store` of the database `name`, in the form that idb-keyval takes. Throws 'storage'. */
export function databaseStore(name: string, store: string, options: DatabaseOptions = {}): UseStore {
  const connection = new Connection(name, store, options);
  return async (mode, body) => body(await connection.objectStore(mode));
}

class Connection {
  readonly #name: string;
  readonly #store: string;
  readonly #options: DatabaseOptions;
  #opening: Promise<IDBDatabase> | null = null;

  constructor(name: string, store: string, options: DatabaseOptions) {
    this.#name = name;
    this.#store = store;
    this.#options = options;
  }

  async objectStore(mode: IDBTransactionMode): Promise<IDBObjectStore> {
    const database = await this.#open();
    try {
      return database.transaction(this.#store, mode).objectStore(this.#store);
    } catch (thrown) {
      // The browser closed the connection, and its event has not come yet.
      if (!(thrown instanceof DOMException && thrown.name === 'InvalidStateError')) throw thrown;
      this.#opening = null;
      return (await this.#open()).transaction(this.#store, mode).objectStore(this.#store);
    }
  }

  #open(): Promise<IDBDatabase> {
    this.#opening ??= this.#request();
    return this.#opening;
  }

  #request(): Promise<IDBDatabase> {
    const { version = 1, patience = 3_000, onSuperseded } = this.#options;
    const opening = new Promise<IDBDatabase>((resolve, reject) => {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const fail = (thrown: unknown): void => {
        clearTimeout(timer);
        if (this.#opening === opening) this.#opening = null;
        reject(thrown);
      };
      const request = indexedDB.open(this.#name, version);
      request.onupgradeneeded = () => {
        const { result } = request;
        if (!result.objectStoreNames.contains(this.#store)) result.createObjectStore(this.#store);
      };
      request.onblocked = () => {
        timer = setTimeout(() => fail(blocked(this.#name)), patience);
      };
      request.onerror = () => fail(request.error?.name === 'VersionError' ? superseded(this.#name) : request.error);
      request.onsuccess = () => {
        clearTimeout(timer);
        const database = request.result;
        const forget = (): void => {
          if (this.#opening === opening || this.#opening === null) this.#opening = null;
        };
        database.onclose = forget;
        database.onversionchange = ({ newVersion }) => {
          database.close();
          forget();
          // Null if the user clears the site's data. The next use starts with an empty database.
          if (newVersion !== null) onSuperseded?.(this.#name);
        };
        // One that was given up while it was blocked holds no other tab up.
        if (this.#opening === opening) resolve(database);
        else database.close();
      };
    });
    opening.catch(() => {
      if (this.#opening === opening) this.#opening = null;
    });
    return opening;
  }
}

/** The refusal of what a newer version of the page has stored. */
export function superseded(name: string): LabError {
  return new LabError(
    'storage',
    `The database '${name}' belongs to a newer version of this page, which another tab has opened.`,
    'Reload this page to get that version. Nothing was deleted.',
  );
}

function blocked(name: string): LabError {
  return new LabError(
    'storage',
    `This page must upgrade the database '${name}', but another tab with an older version keeps it open.`,
    'Close or reload the other tabs of this page, then try again. Nothing was deleted.',
  );
}
