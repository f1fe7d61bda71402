/** @file Stores for tests: an IndexedDB of their own, and one whose disk is full after some bytes. */
import 'fake-indexeddb/auto';
import { createStore, type UseStore } from 'idb-keyval';
import { openShardStore, type ShardStore, type ShardStoreOptions } from '../store/shardStore';

let databases = 0;

/** A database that no other test sees. */
export function newDatabase(): UseStore {
  databases += 1;
  return createStore(`test-${databases}`, 'shards');
}

/** Chunks of 256 bytes, so that small models have many. */
export function newStore(options: ShardStoreOptions = {}): Promise<ShardStore> {
  return openShardStore({ chunkBytes: 256, useStore: newDatabase(), ...options });
}

/** The same object store, on a disk that takes `room.bytes` more of Blobs. */
export function withQuota(use: UseStore, room: { bytes: number }): UseStore {
  return (mode, body) =>
    use(mode, (store) => {
      const limited = new Proxy(store, {
        get(target, property) {
          if (property === 'put') {
            return (value: unknown, key: IDBValidKey) => {
              const blob = value instanceof Blob ? value : (value as { blob?: unknown } | null)?.blob;
              if (blob instanceof Blob) {
                if (blob.size > room.bytes) throw new DOMException('The disk is full.', 'QuotaExceededError');
                room.bytes -= blob.size;
              }
              return target.put(value, key);
            };
          }
          const found: unknown = Reflect.get(target, property, target);
          return typeof found === 'function' ? found.bind(target) : found;
        },
      });
      return body(limited);
    });
}

/** Number of chunks and of loads under way that a database holds. */
export async function residue(use: UseStore): Promise<{ chunks: number; pending: number; models: number }> {
  const keys = await use('readonly', (store) => {
    const request = store.getAllKeys();
    return new Promise<IDBValidKey[]>((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  });
  const count = (kind: string): number => keys.filter((key) => (key as string[])[0] === kind).length;
  return { chunks: count('chunk'), pending: count('pending'), models: count('model') };
}
