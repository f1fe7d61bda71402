/** @file Texts from a stand-in Hub over real sockets: only the bytes that are needed, through whatever goes wrong. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { FakeHub } from '../../e2e/support/fakeHub';
import type { RetryPolicy } from '../io/retry';
import type { CorpusEntry } from './corpora';
import { fetchHubCorpus, parquetFiles } from './hubCorpus';
import { parquetBytes } from './testing/parquetFile';

let hub: FakeHub;
const retry: RetryPolicy = { attempts: 4, firstWait: 1, longestWait: 5, longestAsked: 1500, silence: 300 };
const entry: CorpusEntry = {
  name: 'prose',
  title: 'Prose',
  repository: 'owner/prose',
  revision: 'refs/convert/parquet',
  mirrors: [],
  config: 'raw',
  split: 'test',
  column: 'text',
  uses: ['evaluation'],
  why: 'a test',
};
/** What does not compress, so that sizes mean something. */
const rows = Array.from({ length: 30 }, (_, row) =>
  Array.from({ length: 2000 }, (__, at) => String.fromCharCode(97 + ((row * 31 + at * at * 7 + at) % 26))).join(''),
);
const half = (from: number, to: number) =>
  parquetBytes({ other: rows.slice(from, to), text: rows.slice(from, to) }, { rowGroupSize: 5 });
const folder = new Map([
  ['README.md', new Uint8Array(10)],
  ['raw/test/0000.parquet', half(0, 20)],
  ['raw/test/0001.parquet', half(20, 30)],
  ['raw/train/0000.parquet', half(0, 10)],
]);

beforeAll(async () => {
  hub = await FakeHub.start();
});
afterAll(() => hub.stop());
beforeEach(() => {
  hub.reset();
  hub.fault();
});

const publish = (): string => hub.putDataset('owner/prose', { folder, branch: 'refs/convert/parquet' });
const fetchIt = (more: Partial<CorpusEntry> = {}, signal?: AbortSignal) =>
  fetchHubCorpus({ ...entry, ...more }, { hub: hub.url, retry, signal });

test('all rows of all files of a split, pinned to the commit', async () => {
  const sha = publish();
  expect(await fetchIt()).toEqual({
    texts: rows,
    complete: true,
    revision: sha,
    source: `hf:owner/prose@${sha}/raw/test`,
  });
  expect(hub.requests[0]).toBe('api datasets/owner/prose refs/convert/parquet');
  expect(
    hub.urls.filter((url) => url.includes('/resolve/')).every((url) => url.includes(`/resolve/${sha}/raw/test/`)),
  ).toBe(true);
  expect(hub.leaked).toEqual([]);
});

test('the first rows alone: as much of the first file as they take', async () => {
  publish();
  const { texts, complete } = await fetchIt({ rows: 7 });
  expect(texts).toEqual(rows.slice(0, 7));
  expect(complete).toBe(false);
  expect([...hub.sent.keys()]).toEqual(['raw/test/0000.parquet']);
  // The footer's 64 KiB hold this little file's end; of its two columns and four row groups two halves are read.
  expect(hub.sentBytes).toBeLessThan(folder.get('raw/test/0000.parquet')!.length);
});

test('a cut, an expired address, a busy Hub and an ignored range: the same rows', async () => {
  publish();
  hub.fault(
    { kind: 'status', status: 503, times: 1 },
    { kind: 'expired', times: 1 },
    { kind: 'cut', bytes: 100, times: 1 },
    { kind: 'whole', times: 2 },
  );
  expect((await fetchIt()).texts).toEqual(rows);
});

test('a connection that falls silent is given up and tried again', async () => {
  publish();
  hub.fault({ kind: 'silent', bytes: 50, times: 1 });
  expect((await fetchIt()).texts).toEqual(rows);
});

test('a Hub that stays busy is the answer; so is a split that is not there', async () => {
  publish();
  await expect(fetchIt({ split: 'validation' })).rejects.toMatchObject({ code: 'missing-file' });
  await expect(fetchIt({ column: 'body' })).rejects.toMatchObject({ code: 'bad-source' });
  await expect(fetchIt({ revision: 'main' })).rejects.toMatchObject({ code: 'missing-file' });
  hub.fault({ kind: 'status', status: 503 });
  await expect(fetchIt()).rejects.toMatchObject({ code: 'network' });
});

test('a mirror serves where the first place lacks the rows, and is named', async () => {
  const mirrors = [
    { repository: 'nobody/nothing', revision: 'main' },
    { repository: 'owner/mirror', revision: 'main' },
  ];
  const sha = hub.putDataset('owner/mirror', { folder });
  expect((await fetchIt({ mirrors })).source).toBe(`hf:owner/mirror@${sha}/raw/test`);
  await expect(fetchIt({ mirrors: mirrors.slice(0, 1) })).rejects.toMatchObject({ code: 'gated' });
});

test('a fetch can be cancelled in the middle of a range', async () => {
  publish();
  hub.fault({ kind: 'slow', bytesPerSecond: 1000 });
  const controller = new AbortController();
  const fetching = fetchIt({}, controller.signal);
  setTimeout(() => controller.abort(), 100);
  await expect(fetching).rejects.toMatchObject({ code: 'aborted' });
});

test('files of a split: as data sets name them, as the Hub converts them, whole or in part', () => {
  const names = [
    'wiki-2/test-00000-of-00001.parquet',
    'wiki-2/test/0001.parquet',
    'wiki-2/test/0000.parquet',
    'wiki-2/partial-test/0000.parquet',
    'wiki-2/test/index.duckdb',
    'wiki-2/testing/0000.parquet',
    'wiki-23/test/0000.parquet',
    'wikix2/test/0000.parquet',
    'deep/wiki-2/test/0000.parquet',
  ];
  const siblings = names.map((rfilename) => ({ rfilename, size: 5 }));
  expect(parquetFiles({ siblings }, { config: 'wiki-2', split: 'test' }).map(({ name }) => name)).toEqual([
    'wiki-2/partial-test/0000.parquet',
    'wiki-2/test-00000-of-00001.parquet',
    'wiki-2/test/0000.parquet',
    'wiki-2/test/0001.parquet',
  ]);
});
