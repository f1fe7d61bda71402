/** @file The texts that can be named, in an IndexedDB of the test's own, with a stand-in Hub. */
import 'fake-indexeddb/auto';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { FakeHub } from '../../../e2e/support/fakeHub';
import { LabError } from '../../errors';
import type { Progress } from '../../task';
import { forgetCorpus, storedCorpora } from '../../text/corpusStore';
import { parquetBytes } from '../../text/testing/parquetFile';
import { TextLibrary } from './texts';

let hub: FakeHub;
beforeAll(async () => {
  hub = await FakeHub.start();
});
afterAll(() => hub.stop());
beforeEach(async () => {
  hub.reset();
  for (const { name } of await storedCorpora()) await forgetCorpus(name);
});

const entry = {
  name: 'prose',
  title: 'Prose',
  repository: 'owner/prose',
  revision: 'main',
  config: 'raw',
  split: 'test',
  column: 'text',
  uses: ['evaluation'],
  why: 'a test',
};
const rows = ['one', 'two', 'three'];
const publish = (texts = rows): string =>
  hub.putDataset('owner/prose', { folder: new Map([['raw/test/0000.parquet', parquetBytes({ text: texts })]]) });
const retry = { attempts: 2, firstWait: 1, longestWait: 1, longestAsked: 1, silence: 1000 };

/** A page with this catalogue and the stories; `online` false: the page's own server is away, too. */
function library({ corpora = [entry as object], online = true } = {}): TextLibrary {
  const files: Record<string, string> = {
    'corpora.json': JSON.stringify({ version: 1, corpora }),
    'demo/calibration.txt': 'A story.',
    'demo/evaluation.txt': 'Another story.',
  };
  return new TextLibrary({
    retry,
    pageFile: async (path, what) => {
      if (online && files[path] !== undefined) return files[path];
      throw new LabError('network', `${what} could not be fetched.`, 'Check the connection.');
    },
  });
}

const open = (texts: TextLibrary, name: string) => texts.open(name, null, hub.url, {});
const paste = (texts: TextLibrary, text: string) => texts.add(text, {}, {});

test('a text of the Hub is fetched once, and is there in the next session without the network', async () => {
  const sha = publish();
  const texts = library();
  const heard: Progress[] = [];
  const corpus = await texts.open('prose', null, hub.url, { onProgress: (progress) => heard.push(progress) });
  expect(corpus).toMatchObject({ texts: rows, source: `hf:owner/prose@${sha}/raw/test`, builtIn: false });
  expect(heard.map(({ stage }) => stage)).toEqual(expect.arrayContaining(['Looking up Prose', 'Fetching Prose']));
  hub.reset();
  expect(await open(texts, 'prose')).toEqual(corpus);
  expect(await open(library({ online: false }), 'prose')).toEqual(corpus);
  expect(hub.requests).toEqual([]);
});

test('a changed entry of the catalogue is fetched anew', async () => {
  publish();
  await open(library(), 'prose');
  const fewer = await open(library({ corpora: [{ ...entry, rows: 2 }] }), 'prose');
  expect(fewer.texts).toEqual(['one', 'two']);
  expect((await storedCorpora()).map(({ name, documents }) => [name, documents])).toEqual([['prose', 2]]);
});

test('the list: built in, of the Hub whether stored or not, added', async () => {
  publish();
  const texts = library({ corpora: [entry, { ...entry, name: 'other' }] });
  await texts.fetch('prose', hub.url, {});
  await paste(texts, 'mine');
  const list = (await texts.list()).map(({ name, kind, stored }) => [name, kind, stored?.documents ?? null]);
  expect(list).toEqual([
    ['calibration', 'built-in', null],
    ['evaluation', 'built-in', null],
    ['prose', 'hub', 3],
    ['other', 'hub', null],
    ['text:Pasted text', 'text', 1],
  ]);
  // Without the page's list, what is stored can still be named.
  expect((await library({ online: false }).list()).map(({ name }) => name)).toEqual([
    'calibration',
    'evaluation',
    'prose',
    'text:Pasted text',
  ]);
});

test('a name means one text for good: the same text keeps its name, another one gets its own', async () => {
  const texts = library();
  const file = (text: string) => texts.add(new File([text], 'notes.txt'), {}, {});
  expect((await file('one')).name).toBe('file:notes.txt');
  expect((await file('one')).name).toBe('file:notes.txt');
  expect((await file('two')).name).toBe('file:notes.txt (2)');
  expect((await open(texts, 'file:notes.txt')).texts).toEqual(['one']);
  expect((await open(library(), 'file:notes.txt (2)')).texts).toEqual(['two']);
});

test('forgotten texts are gone, from memory as well', async () => {
  const texts = library();
  const { name } = await paste(texts, 'mine');
  await open(texts, name);
  await texts.forget(name);
  await expect(open(texts, name)).rejects.toMatchObject({ code: 'bad-argument' });
  await expect(texts.forget(name)).rejects.toMatchObject({ code: 'not-found' });
});

test.each<[string, unknown, string]>([
  ['spaces', ' \n', 'bad-argument'],
  ['a number', 5, 'bad-argument'],
  ['a picture', new File(['x'], 'a.png'), 'bad-source'],
])('%s: no text', async (_, given, code) => {
  await expect(library().add(given as string, {}, {})).rejects.toMatchObject({ code });
  expect(await storedCorpora()).toEqual([]);
});

test('names that nobody knows, and a Hub that is away', async () => {
  await expect(open(library(), 'prosa')).rejects.toThrow(
    /expected one of calibration, evaluation, prose .* got 'prosa'/,
  );
  hub.fault({ kind: 'status', status: 503 });
  publish();
  await expect(open(library(), 'prose')).rejects.toMatchObject({ code: 'network' });
  await expect(open(library({ online: false }), 'prose')).rejects.toMatchObject({ code: 'network' });
  await expect(open(library({ corpora: [{}] }), 'prose')).rejects.toMatchObject({ code: 'bad-source' });
});

test('a full disk is said so, and nothing of the text stays', async () => {
  const put = vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(() => {
    throw new DOMException('The disk is full.', 'QuotaExceededError');
  });
  try {
    await expect(paste(library(), 'mine')).rejects.toMatchObject({ code: 'quota' });
  } finally {
    put.mockRestore();
  }
  expect(await storedCorpora()).toEqual([]);
});

test('two who ask for a text on its way share its fetching; the one who leaves is told at once', async () => {
  publish();
  const texts = library();
  const controller = new AbortController();
  const leaving = texts.open('prose', null, hub.url, { signal: controller.signal });
  const staying = texts.open('prose', null, hub.url, {});
  controller.abort();
  await expect(leaving).rejects.toMatchObject({ code: 'aborted' });
  expect((await staying).texts).toEqual(rows);
  const alone = hub.requests.length;
  hub.reset();
  publish();
  await forgetCorpus('prose');
  await open(library(), 'prose');
  expect(alone).toBe(hub.requests.length); // no request twice
});
