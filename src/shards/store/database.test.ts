/** @file Two versions of the page and one database. */
import 'fake-indexeddb/auto';
import { get, promisifyRequest, set } from 'idb-keyval';
import { expect, test, vi } from 'vitest';
import { databaseStore } from '../../io/database';
import { fakeLocks } from '../testing/locks';
import { newDatabase, residue } from '../testing/memory';
import { ShardStore } from './shardStore';

let databases = 0;
const newName = (): string => {
  databases += 1;
  return `versions-${databases}`;
};

test('a newer version of the page takes the database over; the older one lets go, hears of it, and deletes nothing', async () => {
  const name = newName();
  const onSuperseded = vi.fn();
  const older = databaseStore(name, 'things', { onSuperseded });
  await set('a', 1, older);
  const newer = databaseStore(name, 'things', { version: 2 });
  expect(await get('a', newer)).toBe(1);
  expect(onSuperseded).toHaveBeenCalledExactlyOnceWith(name);
  const refusal = { code: 'storage', message: expect.stringContaining('newer version of this page') };
  await expect(get('a', older)).rejects.toMatchObject(refusal);
  // A tab of the older version that starts only now.
  await expect(get('a', databaseStore(name, 'things'))).rejects.toMatchObject(refusal);
  expect(await get('a', newer)).toBe(1);
});

test('an upgrade that an older tab blocks says so, and goes on when that tab has gone', async () => {
  const name = newName();
  // A connection that does not listen, as that of a page of before.
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => request.result.createObjectStore('things');
  const deaf = await promisifyRequest(request);
  const newer = databaseStore(name, 'things', { version: 2, patience: 20 });
  await expect(get('a', newer)).rejects.toMatchObject({
    code: 'storage',
    message: expect.stringContaining('another tab with an older version keeps it open'),
  });
  deaf.close();
  await set('a', 2, newer);
  expect(await get('a', newer)).toBe(2);
});

test('site data that is cleared: the next use starts anew', async () => {
  const name = newName();
  const use = databaseStore(name, 'things');
  await set('a', 1, use);
  await promisifyRequest(indexedDB.deleteDatabase(name));
  expect(await get('a', use)).toBeUndefined();
  await set('a', 2, use);
  expect(await get('a', use)).toBe(2);
});

test('a browser without IndexedDB is a storage error of the store, again and again', async () => {
  vi.stubGlobal('indexedDB', undefined);
  try {
    const store = new ShardStore({ name: newName(), locks: fakeLocks() });
    await expect(store.list()).rejects.toMatchObject({ code: 'storage' });
    await expect(store.list()).rejects.toMatchObject({ code: 'storage' });
  } finally {
    vi.unstubAllGlobals();
  }
});

test('a manifest in the form of a newer version is left alone, with its chunks', async () => {
  const use = newDatabase();
  await use('readwrite', async (store) => {
    store.put({ version: 2, id: 'm', parts: ['x'] }, ['model', 'm']);
    store.put(new Blob(['bytes']), ['chunk', 'x', 'a.bin', 0]);
  });
  const store = new ShardStore({ useStore: use, locks: fakeLocks() });
  await store.removeOrphans();
  expect(await residue(use)).toEqual({ chunks: 1, pending: 0, models: 1 });
  expect(await store.list()).toEqual([]);
  const refusal = { code: 'storage', message: expect.stringContaining('newer version') };
  await expect(store.find('m')).rejects.toMatchObject(refusal);
  await expect(store.open('m')).rejects.toMatchObject(refusal);
  await expect(store.hold('m')).rejects.toMatchObject(refusal);
  await expect(store.remove('m')).rejects.toMatchObject(refusal);
  expect(await residue(use)).toEqual({ chunks: 1, pending: 0, models: 1 });
});
