/** @file Stored trainings: a new state is whole before the old one goes, and all go with their model. */
import { expect, test } from 'vitest';
import { parseConfig } from '../../model/config';
import { LockTable } from '../testing/locks';
import { newDatabase, newStore, withQuota } from '../testing/memory';
import { tinyConfig } from '../testing/tinyModel';
import { openShardStore, ShardStore } from './shardStore';

const { shape, architecture } = parseConfig(tinyConfig);
const summary = { architecture, shape, parameters: 1, dtype: 'F32' as const, tokenizer: false };
const model = { id: 'm', revision: '1' };
const piece = (text: string) => new Blob([text]);

async function store(store: ShardStore, revision = '1'): Promise<void> {
  const load = await store.begin('m');
  await load.commit({ source: 'a test', revision, digest: '0', summary });
}

/** A training at a state of two pieces. */
async function trained(shards: ShardStore): Promise<string> {
  const { trainings } = shards;
  await trainings.add(model, { run: 't', about: { step: 0 }, input: piece('{}') });
  const set = trainings.newSet();
  await trainings.putPiece(model, 't', set, 0, piece('one'));
  await trainings.putPiece(model, 't', set, 1, piece('two'));
  await trainings.commit(model, 't', { step: 1 }, [{ set, pieces: [3, 3] }]);
  return set;
}

test('the next state replaces the one before when it is whole', async () => {
  const shards = await newStore();
  await store(shards);
  const { trainings } = shards;
  const first = await trained(shards);
  const second = trainings.newSet();
  await trainings.putPiece(model, 't', second, 0, piece('three'));
  expect(await (await trainings.piece(model, 't', first, 1))!.text()).toBe('two');
  expect((await trainings.find(model, 't'))!.about).toEqual({ step: 1 });
  await trainings.commit(model, 't', { step: 2 }, [{ set: second, pieces: [5] }]);
  expect(await trainings.piece(model, 't', first, 0)).toBeNull();
  expect((await trainings.list(model)).map(({ about }) => about)).toEqual([{ step: 2 }]);
  expect(await trainings.sizes()).toEqual(new Map([['m', 2 + 5]]));
  await trainings.remove(model, 't');
  expect(await trainings.piece(model, 't', second, 0)).toBeNull();
  expect(await trainings.list(model)).toEqual([]);
});

test('a full disk refuses the new state and keeps the old one', async () => {
  const database = newDatabase();
  const room = { bytes: 1000 };
  const shards = await newStore({
    useStore: withQuota(database, room),
    estimate: async () => ({ quota: 9, usage: 0 }),
  });
  await store(shards);
  const set = await trained(shards);
  room.bytes = 2;
  const { trainings } = shards;
  const refused = trainings.putPiece(model, 't', trainings.newSet(), 0, piece('four'));
  await expect(refused).rejects.toMatchObject({ code: 'quota', message: expect.stringContaining('4 bytes') });
  expect(await (await trainings.piece(model, 't', set, 0))!.text()).toBe('one');
});

test.each([
  ['forgotten', (shards: ShardStore) => shards.remove('m')],
  ['replaced by another revision', (shards: ShardStore) => store(shards, '2')],
])('the model is %s: its trainings go with it, and none can be stored', async (_, change) => {
  const shards = await newStore();
  await store(shards);
  const set = await trained(shards);
  await change(shards);
  const { trainings } = shards;
  expect(await trainings.list(model)).toEqual([]);
  expect(await trainings.piece(model, 't', set, 0)).toBeNull();
  const gone = { code: 'not-found' };
  await expect(trainings.putPiece(model, 't', 's', 0, piece('x'))).rejects.toMatchObject(gone);
  await expect(trainings.commit(model, 't', {}, [])).rejects.toMatchObject(gone);
  await expect(trainings.add(model, { run: 'u', about: {}, input: piece('') })).rejects.toMatchObject(gone);
});

test('one tab has a training at a time; one that was closed has it no more', async () => {
  const useStore = newDatabase();
  const browser = new LockTable();
  const [first, second] = [browser.tab(), browser.tab()];
  const shards = await openShardStore({ useStore, locks: first });
  await store(shards);
  await trained(shards);
  const other = new ShardStore({ useStore, locks: second }).trainings;
  expect(await shards.trainings.hold(model, 't')).not.toBeNull();
  expect(await other.hold(model, 't')).toBeNull();
  expect((await other.held(model))('t')).toBe(true);
  first.close();
  expect((await other.held(model))('t')).toBe(false);
  const release = await other.hold(model, 't');
  expect(release).not.toBeNull();
  release!();
});
