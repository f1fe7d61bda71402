import { promisifyRequest, type UseStore } from 'idb-keyval';
import { expect, onTestFinished, test, vi } from 'vitest';
import { holdLock, LeaseLocks } from '../../io/locks';
import { parseConfig } from '../../model/config';
import { fakeLocks } from '../testing/locks';
import { newDatabase, newStore, residue, withQuota } from '../testing/memory';
import { tinyConfig } from '../testing/tinyModel';
import type { StoredModel } from './manifest';
import type { PendingLoad } from './pendingLoad';
import { openShardStore, type ShardStore } from './shardStore';

const { shape, architecture } = parseConfig(tinyConfig);
const facts = {
  source: 'a test',
  revision: '1',
  digest: '0',
  summary: { architecture, shape, parameters: 1, dtype: 'F32' as const, tokenizer: false },
};

const content = Uint8Array.from({ length: 1000 }, (_, i) => (i * 7) & 255);

async function write(load: PendingLoad, name: string, bytes = content, pieceSize = 100): Promise<void> {
  const writer = load.write(name);
  for (let at = 0; at < bytes.length; at += pieceSize) await writer.append(bytes.slice(at, at + pieceSize));
  await writer.close();
}

async function storeModel(store: ShardStore, id: string, bytes = content): Promise<StoredModel> {
  const load = await store.begin(id);
  await write(load, 'a.bin', bytes);
  return load.commit(facts);
}

test('a file comes back whole and in ranges across chunks', async () => {
  const store = await newStore();
  const model = await storeModel(store, 'm');
  expect(model).toMatchObject({
    id: 'm',
    bytes: 1000,
    chunkBytes: 256,
    files: [{ name: 'a.bin', size: 1000, chunks: 4 }],
  });
  const whole = await store.file(model, 'a.bin');
  expect(new Uint8Array(await whole.arrayBuffer())).toEqual(content);
  for (const [begin, end] of [
    [0, 1000],
    [0, 1],
    [255, 257],
    [256, 512],
    [300, 900],
    [999, 1000],
    [500, 500],
    [1000, 1000],
  ] as const) {
    expect(await store.read(model, 'a.bin', begin, end)).toEqual(content.slice(begin, end));
  }
});

test('a range touches only the chunks that hold it', async () => {
  const use = newDatabase();
  const model = await storeModel(await newStore({ useStore: use }), 'm');
  const asked: IDBValidKey[][] = [];
  const spy = await openShardStore({
    useStore: (mode, body) =>
      use(mode, (store) => {
        const getAll = store.getAll.bind(store);
        store.getAll = (range) => {
          if (range instanceof IDBKeyRange) asked.push([range.lower, range.upper]);
          return getAll(range);
        };
        return body(store);
      }),
  });
  asked.length = 0;
  expect(await spy.read(model, 'a.bin', 260, 520)).toEqual(content.slice(260, 520));
  expect(asked).toEqual([
    [
      ['chunk', model.load, 'a.bin', 1],
      ['chunk', model.load, 'a.bin', 2],
    ],
  ]);
});

test('an empty file and a file of whole chunks are stored', async () => {
  const store = await newStore();
  const load = await store.begin('m');
  await write(load, 'empty.txt', new Uint8Array(0));
  await write(load, 'two.bin', content.slice(0, 512), 512);
  const model = await load.commit(facts);
  expect(model.files.map((file) => file.chunks)).toEqual([0, 2]);
  expect((await store.file(model, 'empty.txt')).size).toBe(0);
  expect(await store.read(model, 'two.bin', 511, 512)).toEqual(content.slice(511, 512));
});

test('ranges and files that are not there are refused', async () => {
  const store = await newStore();
  const model = await storeModel(store, 'm');
  await expect(store.read(model, 'a.bin', 0, 1001)).rejects.toMatchObject({ code: 'bad-argument' });
  await expect(store.read(model, 'a.bin', -1, 5)).rejects.toMatchObject({ code: 'bad-argument' });
  await expect(store.read(model, 'b.bin', 0, 1)).rejects.toMatchObject({ code: 'missing-file' });
});

test('models are listed, the last opened first, and forgotten with all their chunks', async () => {
  const use = newDatabase();
  const store = await newStore({ useStore: use });
  const now = vi.spyOn(Date, 'now');
  try {
    now.mockReturnValue(1000);
    await storeModel(store, 'first');
    now.mockReturnValue(2000);
    const second = await storeModel(store, 'second');
    now.mockReturnValue(3000);
    expect((await store.open('first')).lastUsed).toBe(3000);
    expect((await store.list()).map(({ id, created }) => [id, created])).toEqual([
      ['first', 1000],
      ['second', 2000],
    ]);
    await store.remove('first');
    await store.remove('nobody');
    expect((await store.list()).map((model) => model.id)).toEqual(['second']);
    expect(await residue(use)).toEqual({ chunks: 4, pending: 0, models: 1 });
    await expect(store.open('first')).rejects.toMatchObject({ code: 'not-found' });
    await store.remove('second');
    await expect(store.file(second, 'a.bin')).rejects.toMatchObject({ code: 'storage' });
  } finally {
    now.mockRestore();
  }
});

test('a model that is loaded again is replaced at once, and readable until then', async () => {
  const use = newDatabase();
  const store = await newStore({ useStore: use });
  const old = await storeModel(store, 'm');
  const load = await store.begin('m');
  await write(load, 'a.bin', content.slice(0, 300));
  expect((await store.find('m'))?.bytes).toBe(1000);
  expect(await store.read(old, 'a.bin', 0, 1000)).toEqual(content);
  await load.commit({ ...facts, revision: '2' });
  expect((await store.find('m'))?.bytes).toBe(300);
  expect(await residue(use)).toEqual({ chunks: 2, pending: 0, models: 1 });
});

test('an abandoned load leaves nothing', async () => {
  const use = newDatabase();
  const store = await newStore({ useStore: use });
  const load = await store.begin('m');
  await write(load, 'a.bin');
  expect(await residue(use)).toEqual({ chunks: 4, pending: 1, models: 0 });
  await load.abandon();
  expect(await residue(use)).toEqual({ chunks: 0, pending: 0, models: 0 });
});

test('at the start, loads of tabs that are gone are removed, loads of other tabs stay', async () => {
  const use = newDatabase();
  const gone = fakeLocks();
  const dead = await (await newStore({ useStore: use, locks: gone })).begin('dead');
  await write(dead, 'a.bin');
  gone.releaseAll();
  const locks = fakeLocks();
  const store = await newStore({ useStore: use, locks });
  expect(await residue(use)).toEqual({ chunks: 0, pending: 0, models: 0 });
  await storeModel(store, 'm');
  const alive = await store.begin('alive');
  await write(alive, 'a.bin');
  await newStore({ useStore: use, locks });
  expect(await residue(use)).toEqual({ chunks: 8, pending: 1, models: 1 });
  await alive.commit(facts);
  expect((await locks.query()).held).toEqual([]);
});

test('a commit of a revision that is there already keeps that, and its own chunks go', async () => {
  const use = newDatabase();
  const store = await newStore({ useStore: use });
  const slower = await store.begin('m');
  await write(slower, 'a.bin');
  const first = await storeModel(store, 'm');
  expect((await slower.commit(facts)).load).toBe(first.load);
  expect(await residue(use)).toEqual({ chunks: 4, pending: 0, models: 1 });
  expect(await store.read(first, 'a.bin', 0, 1000)).toEqual(content);
});

/** When the only lease of a lock runs out. */
const leaseEnd = (use: UseStore, name: string): Promise<number | undefined> =>
  use('readonly', async (store) => (await promisifyRequest<{ until: number }[]>(store.get(['lock', name])))[0]?.until);

test('where the browser has no locks, leases in the database stand in; those of a tab that has gone run out', async () => {
  let now = 0;
  const clock = vi.spyOn(Date, 'now').mockImplementation(() => now);
  onTestFinished(() => clock.mockRestore());
  const use = newDatabase();
  const times = { lease: 60, renewal: 20, poll: 10 };
  const here = new LeaseLocks(use, times);
  const there = new LeaseLocks(use, times);
  const release = await holdLock(here, 'x');
  expect(await holdLock(there, 'x', { ifAvailable: true })).toBeNull();
  const controller = new AbortController();
  const cancelled = holdLock(there, 'x', { signal: controller.signal });
  controller.abort();
  await expect(cancelled).rejects.toMatchObject({ code: 'aborted' });
  const order: string[] = [];
  const next = holdLock(there, 'x').then((held) => {
    order.push('second');
    return held;
  });
  // The leases read the date, which moves here only after a renewal: a busy machine may take as long as it likes.
  for (now of [40, 80, 120, 160]) {
    await vi.waitFor(async () => expect(await leaseEnd(use, 'x')).toBe(now + times.lease), { timeout: 60_000 });
  }
  order.push('first lets go');
  release?.();
  (await next)?.();
  expect(order).toEqual(['first lets go', 'second']);
  // Shared ones stand beside each other, and hold an exclusive one up.
  const [one, two] = [await holdLock(here, 'y', { mode: 'shared' }), await holdLock(there, 'y', { mode: 'shared' })];
  expect(await holdLock(there, 'y', { ifAvailable: true })).toBeNull();
  one?.();
  two?.();
  expect((await (await holdLock(there, 'y'))?.()) ?? null).toBeNull();
  // A tab that dies renews nothing.
  await use('readwrite', async (store) => {
    store.put([{ owner: 'gone', mode: 'exclusive', until: Date.now() + 30 }], ['lock', 'z']);
  });
  expect(await holdLock(there, 'z', { ifAvailable: true })).toBeNull();
  now += 31;
  (await holdLock(there, 'z'))?.();
});

test('a full disk is told with numbers', async () => {
  const use = newDatabase();
  const estimate = async () => ({ quota: 5000, usage: 4900 });
  const store = await newStore({ useStore: withQuota(use, { bytes: 600 }), estimate });
  const load = await store.begin('m', 1000);
  const error = await write(load, 'a.bin').catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'quota' });
  expect(String(error)).toContain(
    "needed 488 bytes (488 bytes); available by the browser's estimate: 100 bytes (100 bytes)",
  );
});

test('a refusing database is a storage error', async () => {
  const error = new DOMException('no', 'InvalidStateError');
  await expect(openShardStore({ useStore: () => Promise.reject(error) })).rejects.toMatchObject({ code: 'storage' });
});
