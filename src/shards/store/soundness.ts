/** @file Checks that a stored model is complete when it is opened, so that a lost chunk is not discovered later. */
import { promisifyRequest } from 'idb-keyval';
import { throwIfAborted } from '../../errors';
import type { StoredModel } from './manifest';

type Run = <T>(mode: IDBTransactionMode, what: string, body: (store: IDBObjectStore) => PromiseLike<T>) => Promise<T>;

/**
 * Are all chunks of a model there, each of its size and readable? Null, or what is wrong. Some browsers lose the files
 * behind stored Blobs: in private windows, or when a disk was cleaned up.
 */
export async function faultOf(run: Run, model: StoredModel, signal: AbortSignal | undefined): Promise<string | null> {
  for (const { name, size, chunks } of model.files) {
    if (chunks === 0) continue;
    const range = IDBKeyRange.bound(['chunk', model.load, name, 0], ['chunk', model.load, name, chunks - 1]);
    const blobs = await run<Blob[]>('readonly', `Reading ${name}`, (store) => promisifyRequest(store.getAll(range)));
    if (blobs.length !== chunks) return `${name}: expected ${chunks} stored chunks, found ${blobs.length}`;
    for (const [index, blob] of blobs.entries()) {
      throwIfAborted(signal, 'Opening the model');
      const expected = Math.min(model.chunkBytes, size - index * model.chunkBytes);
      if (blob.size !== expected) return `${name}: chunk ${index} has ${blob.size} bytes, expected ${expected}`;
      const unread = await unreadable(blob);
      if (unread !== null) return `${name}: chunk ${index} cannot be read (${unread})`;
    }
  }
  return null;
}

/** The name of the error, or null. */
async function unreadable(blob: Blob): Promise<string | null> {
  try {
    await blob.slice(0, 1).arrayBuffer();
    return null;
  } catch (thrown) {
    return thrown instanceof Error ? thrown.name : String(thrown);
  }
}
