import type { UseStore } from 'idb-keyval';
import { expect, test } from 'vitest';
import { parseConfig } from '../../model/config';
import { type Hands, inEveryOrder } from '../testing/interleavings';
import { fakeLocks } from '../testing/locks';
import { newDatabase, newStore, withQuota } from '../testing/memory';
import { tinyConfig } from '../testing/tinyModel';
import type { StoredModel } from './manifest';
import { openShardStore, ShardStore } from './shardStore';

const { shape, architecture } = parseConfig(tinyConfig);
const summary = { architecture, shape, parameters: 1, dtype: 'F32' as const, tokenizer: false };

async function storeModel(store: ShardStore, id = 'm', revision = '1'): Promise<StoredModel> {
  const load = await store.begin(id);
  const writer = load.write('a.bin');
  await writer.append(new Uint8Array(300).fill(revision.charCodeAt(0)));
  await writer.close();
  return load.commit({ source: 'a test', revision, digest: '0', summary });
}

const patch = (text = 'patch') => ({
  about: { name: text },
  sha256: 'ab12',
  blob: new Blob([text]),
  name: (number: number) => `v${number}`,
});
const variants = async (store: ShardStore, model: StoredModel) =>
  (await store.patches.list(model)).map(({ variant }) => variant);

test('a patch survives the tab under its variant’s id, with its bytes and its size', async () => {
  const use = newDatabase();
  const before = await newStore({ useStore: use });
  const model = await storeModel(before);
  await before.patches.add(model, patch('some bytes'));
  await before.patches.add(model, patch('more'));
  const store = await newStore({ useStore: use });
  const [first, second] = await store.patches.list(model);
  expect(first).toMatchObject({ variant: 'v1', about: { name: 'some bytes' }, sha256: 'ab12' });
  expect(await first?.blob.text()).toBe('some bytes');
  expect(second?.variant).toBe('v2');
  expect([...(await store.patches.sizes())]).toEqual([['m', 14]]);
  await store.patches.remove(model, 'v1');
  expect(await variants(store, model)).toEqual(['v2']);
});

test('a number is given once, in all tabs, also after its variant was discarded', async () => {
  const use = newDatabase();
  const [one, other] = [await newStore({ useStore: use }), await newStore({ useStore: use })];
  const model = await storeModel(one);
  const numbers = await Promise.all([one, other, one, other].map((store) => store.patches.nextNumber(model)));
  expect(numbers.toSorted()).toEqual([1, 2, 3, 4]);
  await one.patches.add(model, patch());
  await one.patches.remove(model, 'v5');
  expect(await other.patches.nextNumber(model)).toBe(6);
  expect(await other.patches.nextNumber(model, 40)).toBe(40);
  expect(await one.patches.nextNumber(model)).toBe(41);
});

test('patches go with their model, those of other models stay', async () => {
  const use = newDatabase();
  const store = await newStore({ useStore: use });
  const [gone, stays] = [await storeModel(store, 'm'), await storeModel(store, 'm2')];
  await store.patches.add(gone, patch());
  await store.patches.add(stays, patch());
  await store.remove('m');
  expect(await variants(store, gone)).toEqual([]);
  expect(await variants(store, stays)).toEqual(['v1']);
  const refusal = { code: 'not-found', message: expect.stringContaining('forgotten since it was opened') };
  await expect(store.patches.add(gone, patch())).rejects.toMatchObject(refusal);
  expect([...(await store.patches.sizes()).keys()]).toEqual(['m2']);
});

test('a new revision takes no patches over; the same revision fetched again keeps them', async () => {
  const store = await newStore();
  const model = await storeModel(store);
  await store.patches.add(model, patch());
  await store.remove('m', model.load); // a copy that cannot be read
  const again = await storeModel(store);
  expect(again.load).not.toBe(model.load);
  expect(await variants(store, again)).toEqual(['v1']);
  const newer = await storeModel(store, 'm', '2');
  expect(await variants(store, newer)).toEqual([]);
  expect(await variants(store, again)).toEqual([]);
  await expect(store.patches.add(again, patch())).rejects.toMatchObject({ code: 'not-found' });
});

test('patches that an older version of the page left behind go at the next start', async () => {
  const use = newDatabase();
  const model = await storeModel(await newStore({ useStore: use }));
  await use('readwrite', async (store) => {
    for (const key of [
      ['patch', 'm', '0', 'v1'],
      ['patch', 'x', '1', 'v1'],
      ['patch', 'm', '1', 'v7'],
    ]) {
      store.put({ version: 1, variant: key[3], about: null, sha256: '', blob: new Blob(['?']) }, key);
    }
  });
  const store = await openShardStore({ useStore: use, locks: fakeLocks() });
  expect(await variants(store, model)).toEqual(['v7']);
  expect([...(await store.patches.sizes())]).toEqual([['m', 1]]);
});

test('patches beside a manifest in the form of a newer version of the page stay', async () => {
  const use = newDatabase();
  const kept = { version: 1, variant: 'v1', about: null, sha256: '', blob: new Blob(['?']) };
  await use('readwrite', async (store) => {
    store.put({ version: 2, id: 'm' }, ['model', 'm']);
    store.put(kept, ['patch', 'm', '1', 'v1']);
  });
  const store = await openShardStore({ useStore: use, locks: fakeLocks() });
  expect([...(await store.patches.sizes())]).toEqual([['m', 1]]);
});

test('a full disk is a quota error, before and while it is written; nothing else is lost', async () => {
  const use = newDatabase();
  const room = { bytes: 1000 };
  const store = await newStore({ useStore: withQuota(use, room) });
  const model = await storeModel(store);
  await store.patches.add(model, patch('fits'));
  room.bytes = 3;
  const refusal = {
    code: 'quota',
    message: expect.stringContaining('Storing the weights of a variant: needed 5 bytes'),
    remedy: expect.stringContaining('Discard a variant'),
  };
  await expect(store.patches.add(model, patch())).rejects.toMatchObject(refusal);
  const told = await newStore({ useStore: use, estimate: async () => ({ quota: 10, usage: 8 }) });
  await expect(told.patches.add(model, patch())).rejects.toMatchObject({ code: 'quota' });
  expect(await variants(told, model)).toEqual(['v1']);
  expect(await told.read(model, 'a.bin', 0, 300)).toHaveLength(300);
});

test('one tab makes a variant while the other forgets or replaces its model: no patch is left without its model', async () => {
  const scene = (other: (store: ShardStore) => Promise<unknown>) => async () => {
    const database: UseStore = newDatabase();
    const before = new ShardStore({ chunkBytes: 256, useStore: database, locks: fakeLocks() });
    const model = await storeModel(before);
    return {
      database,
      actors: [
        async ({ use, locks }: Hands) => new ShardStore({ useStore: use, locks }).patches.add(model, patch()),
        async ({ use, locks }: Hands) => other(new ShardStore({ chunkBytes: 256, useStore: use, locks })),
      ],
      async check([added]: PromiseSettledResult<unknown>[]) {
        expect(await variants(before, model)).toEqual([]);
        if (added?.status === 'rejected') expect(added.reason).toMatchObject({ code: 'not-found' });
      },
    };
  };
  expect(await inEveryOrder(scene((store) => store.remove('m')))).toBeGreaterThan(3);
  expect(
    await inEveryOrder(
      scene((store) => storeModel(store, 'm', '2')),
      { interruptions: 2 },
    ),
  ).toBeGreaterThan(3);
});
