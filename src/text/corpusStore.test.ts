/** @file Texts of two tabs in one store, in every order of their steps. */
import { expect, test } from 'vitest';
import { databaseStore } from '../io/database';
import { type Hands, inEveryOrder } from '../shards/testing/interleavings';
import 'fake-indexeddb/auto';
import { values } from 'idb-keyval';
import { forgetCorpus, type StoredCorpus, saveCorpusAs } from './corpusStore';

let databases = 0;

const named = (number: number) => ({
  name: number === 1 ? 'text:Pasted' : `text:Pasted (${number})`,
  title: 'Pasted',
  kind: 'text' as const,
  source: 'pasted text',
});
const add = (text: string) => (hands: Hands) => saveCorpusAs(named, { texts: [text], complete: true }, hands.use);

test('two texts under one title at once: both are stored, each under its own name', async () => {
  for (const [second, names] of [
    ['two', 2],
    ['one', 1],
  ] as const) {
    const orders = await inEveryOrder(async () => {
      databases += 1;
      const database = databaseStore(`corpora-${databases}`, 'corpora');
      return {
        database,
        actors: [add('one'), add(second), add('one')],
        async check(results) {
          const stored = (await values<{ about: StoredCorpus }>(database)).map(({ about }) => about);
          expect(new Set(stored.map(({ name }) => name)).size).toBe(names);
          for (const [index, text] of ['one', second, 'one'].entries()) {
            const result = results[index]!;
            const about = result.status === 'fulfilled' ? (result.value as StoredCorpus) : null;
            expect(stored.find(({ name }) => name === about?.name)?.contentHash, text).toBe(about?.contentHash);
          }
        },
      };
    });
    expect(orders).toBe(6);
  }
});

test('one adds while the other forgets: the text is there or it is not, and who added is told its name', async () => {
  const orders = await inEveryOrder(async () => {
    databases += 1;
    const database = databaseStore(`corpora-${databases}`, 'corpora');
    await saveCorpusAs(named, { texts: ['old'], complete: true }, database);
    return {
      database,
      actors: [add('new'), ({ use }) => forgetCorpus('text:Pasted', use)],
      async check(results, order) {
        const stored = (await values<{ about: StoredCorpus }>(database)).map(({ about }) => about.name);
        expect(results[1]).toMatchObject({ value: true });
        expect(stored).toEqual(order === 'AB' ? ['text:Pasted (2)'] : ['text:Pasted']);
      },
    };
  });
  expect(orders).toBe(2);
});
