/**
 * @file Two tabs on one store, in every order of their steps: no data is lost, no orphans remain, both tabs can read.
 */
import type { UseStore } from 'idb-keyval';
import { expect, test, vi } from 'vitest';
import { LeaseLocks } from '../../io/locks';
import { parseConfig } from '../../model/config';
import { loadModel, openStored } from '../download/load';
import type { Repository } from '../sources/repository';
import { type Choices, type Hands, inEveryOrder, type Scene } from '../testing/interleavings';
import { fakeLocks, noLocks } from '../testing/locks';
import { newDatabase, newStore, residue } from '../testing/memory';
import { tinyConfig, tinyFolder, tinyTensors } from '../testing/tinyModel';
import type { StoredModel } from './manifest';
import { openShardStore, ShardStore } from './shardStore';

const { shape, architecture } = parseConfig(tinyConfig);
const summary = { architecture, shape, parameters: 1, dtype: 'F32' as const, tokenizer: false };
const facts = (revision: string) => ({ source: 'a test', revision, digest: '0', summary });
const bytesOf = (revision: string): Uint8Array<ArrayBuffer> => new Uint8Array(300).fill(revision.charCodeAt(0));

const storeOf = ({ use, locks }: Hands): ShardStore => new ShardStore({ chunkBytes: 256, useStore: use, locks });

/** Stores a model of two chunks in revision `revision`. */
async function write(store: ShardStore, revision: string): Promise<StoredModel> {
  const load = await store.begin('m');
  const writer = load.write('a.bin');
  await writer.append(bytesOf(revision));
  await writer.close();
  return load.commit(facts(revision));
}

async function contentOf(store: ShardStore, model: StoredModel): Promise<string> {
  return String.fromCharCode(...new Set(await store.read(model, 'a.bin', 0, 300)));
}

/** Opens the model, reads it while others do what they do, and closes it. */
async function read(store: ShardStore): Promise<string> {
  const { stored, release } = await store.hold('m');
  const content = await contentOf(store, stored);
  await release();
  return content;
}

/** A database that holds revision 1, with actors upon it; `check` sees what is stored at the end. */
const scene =
  (
    actors: ((hands: Hands) => Promise<unknown>)[],
    check: (stored: string | null, results: PromiseSettledResult<unknown>[]) => void,
    first: string | null = '1',
  ) =>
  async (): Promise<Scene> => {
    const database = newDatabase();
    const before = new ShardStore({ chunkBytes: 256, useStore: database, locks: fakeLocks() });
    if (first !== null) await write(before, first);
    return {
      database,
      actors,
      async check(results) {
        const model = await before.find('m');
        check(model && (await contentOf(before, model)), results);
        await expectTidy(database);
      },
    };
  };

/** After the next start nothing is stored but what the model needs. */
async function expectTidy(database: UseStore): Promise<void> {
  await openShardStore({ useStore: database, locks: fakeLocks() });
  const { models, ...rest } = await residue(database);
  expect(rest).toEqual({ chunks: 2 * models, pending: 0 });
}

const fulfilled = (results: PromiseSettledResult<unknown>[]): unknown[] =>
  results.map((result) => (result.status === 'fulfilled' ? result.value : result.reason));

const both: [string, Choices][] = [
  ['with locks', { interruptions: 3 }],
  ['with locks that hold nobody up', { withoutLocks: true }],
];

test.each(both)('one opens while the other stores a newer revision: the newer one stays, %s', async (_, choices) => {
  const orders = await inEveryOrder(
    scene([async (hands) => storeOf(hands).open('m'), async (hands) => write(storeOf(hands), '2')], (stored) =>
      expect(stored).toBe('2'),
    ),
    choices,
  );
  expect(orders).toBeGreaterThan(5);
});

test('who reads a model reads it to its end, whatever the other tab does', async () => {
  const replace = scene(
    [async (hands) => read(storeOf(hands)), async (hands) => write(storeOf(hands), '2')],
    (stored, results) => {
      expect(stored).toBe('2');
      expect(['1', '2']).toContain(fulfilled(results)[0]);
    },
  );
  expect(await inEveryOrder(replace, { interruptions: 3 })).toBeGreaterThan(100);
  const forget = scene(
    [async (hands) => read(storeOf(hands)), async (hands) => storeOf(hands).remove('m')],
    (stored, results) => {
      expect(stored).toBeNull();
      const [content] = fulfilled(results);
      if (content !== '1') expect(content).toMatchObject({ code: 'not-found' });
    },
  );
  expect(await inEveryOrder(forget)).toBeGreaterThan(20);
});

test.each(both)('two store the same revision: one of them stays whole, and both have it, %s', async (_, choices) => {
  const actor = async (hands: Hands): Promise<string> => {
    const store = storeOf(hands);
    return contentOf(store, await write(store, '1'));
  };
  const orders = await inEveryOrder(
    scene(
      [actor, actor],
      (stored, results) => {
        expect(stored).toBe('1');
        expect(fulfilled(results)).toEqual(['1', '1']);
      },
      null,
    ),
    choices,
  );
  expect(orders).toBeGreaterThan(100);
});

test.each(both)('one forgets while the other stores: a whole model or none, %s', async (_, choices) => {
  const orders = await inEveryOrder(
    scene(
      [async (hands) => storeOf(hands).remove('m'), async (hands) => write(storeOf(hands), '2')],
      (stored, results) => {
        expect(['2', null]).toContain(stored);
        expect(fulfilled(results)[1]).toMatchObject({ revision: '2' });
      },
    ),
    choices,
  );
  expect(orders).toBeGreaterThan(10);
});

test('a tab that starts and tidies up takes nothing from one that stores', async () => {
  const orders = await inEveryOrder(
    scene(
      [async ({ use, locks }) => openShardStore({ useStore: use, locks }), async (hands) => write(storeOf(hands), '2')],
      (stored) => expect(stored).toBe('2'),
    ),
  );
  expect(orders).toBeGreaterThan(20);
});

/** A place without a network; `opened` counts what was asked for. */
function place(opened: string[]): Repository {
  const files = tinyFolder();
  return {
    id: 'm',
    label: 'm',
    revision: '1',
    remote: true,
    list: async () => [...files].map(([name, { size }]) => ({ name, size, optional: false })),
    async open(name) {
      opened.push(name);
      const blob = files.get(name)!;
      return { size: blob.size, stream: blob.stream() };
    },
  };
}

/** Large chunks: a file is one step. */
const roomy = ({ use, locks }: Hands): ShardStore => new ShardStore({ chunkBytes: 2 ** 20, useStore: use, locks });

async function loadAndRead(hands: Hands, opened: string[], model = place(opened)): Promise<number> {
  const { checkpoint, release } = await loadModel(model, roomy(hands));
  const tensor = checkpoint.modelTensor('embed');
  const { length } = await checkpoint.read(tensor);
  await release();
  return length;
}

const embedBytes = tinyTensors().find(({ name }) => name.includes('embed_tokens'))!;
const expectedBytes = (embedBytes.data as Uint8Array).length;

/** Two tabs load the same model. */
const twoLoads = (asked: (opened: string[]) => void) => async (): Promise<Scene> => {
  const database = newDatabase();
  const opened: string[] = [];
  const actor = (hands: Hands): Promise<number> => loadAndRead(hands, opened);
  return {
    database,
    actors: [actor, actor],
    async check(results) {
      expect(fulfilled(results)).toEqual(results.map(() => expectedBytes));
      asked(opened);
      await expectTidy(database);
    },
  };
};

test('two tabs open the same address at once: one downloads, both have it', async () => {
  const orders = await inEveryOrder(
    twoLoads((opened) => expect(opened.sort()).toEqual(['config.json', 'model.safetensors'])),
    { interruptions: 1 },
  );
  expect(orders).toBeGreaterThan(20);
});

test('a tab that is closed in the middle, at every step: the other takes over', async () => {
  const makeTwo = twoLoads(() => undefined);
  // Once with the other tab waiting behind it, once with the other one that comes later.
  for (let dies = 0; dies < 14; dies += 1) await inEveryOrder(makeTwo, { dies, interruptions: 0 });
  for (const dies of [3, 6, 9]) await inEveryOrder(makeTwo, { dies, interruptions: 1 });
});

test('a copy that cannot be read is removed once and fetched again, by whichever tab comes first', async () => {
  const make = async (): Promise<Scene> => {
    const database = newDatabase();
    const opened: string[] = [];
    const store = new ShardStore({ chunkBytes: 2 ** 20, useStore: database, locks: fakeLocks() });
    const { stored, release } = await loadModel(place([]), store);
    await release();
    await database('readwrite', async (objects) => {
      objects.delete(['chunk', stored.load, 'model.safetensors', 0]);
    });
    const actor = (hands: Hands): Promise<number> => loadAndRead(hands, opened);
    return {
      database,
      actors: [actor, actor],
      async check(results) {
        expect(fulfilled(results)).toEqual([expectedBytes, expectedBytes]);
        expect(opened.sort()).toEqual(['config.json', 'model.safetensors']);
        await expectTidy(database);
      },
    };
  };
  expect(await inEveryOrder(make, { interruptions: 1 })).toBeGreaterThan(20);
});

test('a copy that cannot be read is said in one line; without its source it stays', async () => {
  const database = newDatabase();
  const store = await newStore({ useStore: database, chunkBytes: 2 ** 20 });
  const { stored, release } = await loadModel(place([]), store);
  await release();
  await database('readwrite', async (objects) => {
    objects.put(new Blob(['short']), ['chunk', stored.load, 'model.safetensors', 0]);
  });
  const gone: Repository = { ...place([]), list: () => Promise.reject(new Error('no line')) };
  await expect(loadModel(gone, store)).rejects.toThrow('no line');
  expect(await store.find('m')).not.toBeNull();
  const again = await loadModel(place([]), store);
  expect(again.notes).toEqual([
    expect.stringMatching(
      /^The stored copy could not be read \(model.safetensors: chunk 0 has 5 bytes.*downloaded again\.$/,
    ),
  ]);
});

test('a Blob whose file the browser has lost is seen when the model is opened, not when it is needed', async () => {
  const store = await newStore({ chunkBytes: 2 ** 20 });
  const { release } = await loadModel(place([]), store);
  await release();
  const lost = new DOMException('The file is gone.', 'NotReadableError');
  const slice = vi
    .spyOn(Blob.prototype, 'slice')
    .mockImplementation(() => ({ arrayBuffer: () => Promise.reject(lost) }) as unknown as Blob);
  const opening = openStored(store, 'm');
  await expect(opening).rejects.toMatchObject({
    code: 'storage',
    message: expect.stringContaining('chunk 0 cannot be read (NotReadableError)'),
    remedy: expect.stringContaining('Forget it'),
  });
  slice.mockRestore();
  expect((await openStored(store, 'm')).notes).toEqual([]);
});

test('without the browser’s locks: leases in the database let one tab load and the other wait for it', async () => {
  const database = newDatabase();
  const opened: string[] = [];
  const times = { lease: 5_000, renewal: 1_000, poll: 5 };
  const tabs = [1, 2].map(() => ({ use: database, locks: new LeaseLocks(database, times) }));
  expect(await Promise.all(tabs.map((hands) => loadAndRead(hands, opened)))).toEqual([expectedBytes, expectedBytes]);
  expect(opened.sort()).toEqual(['config.json', 'model.safetensors']);
  expect((await tabs[0]!.locks.query()).held).toEqual([]);
  await expectTidy(database);
});

test('a tab that wakes after another one took its load over writes nothing more, and opens what is there', async () => {
  const database = newDatabase();
  let wake = (): void => undefined;
  const asleep = new Promise<void>((resolve) => {
    wake = resolve;
  });
  const sleepy = place([]);
  const frozen: Repository = {
    ...sleepy,
    async open(name, options) {
      if (name === 'model.safetensors') await asleep;
      return sleepy.open(name, options);
    },
  };
  // Its locks are gone while it sleeps: the browser has given them to others.
  const first = loadAndRead({ use: database, locks: noLocks }, [], frozen);
  await vi.waitFor(async () => expect((await residue(database)).chunks).toBe(1));
  const second = await openShardStore({ useStore: database, locks: fakeLocks(), chunkBytes: 2 ** 20 });
  expect(await residue(database)).toEqual({ chunks: 0, pending: 0, models: 0 });
  const { stored, release } = await loadModel(place([]), second);
  await release();
  wake();
  expect(await first).toBe(expectedBytes);
  expect((await second.find('m'))?.load).toBe(stored.load);
  await expectTidy(database);
});
