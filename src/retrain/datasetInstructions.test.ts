/** @file Instruction pairs of a stand-in Hub over real sockets: the first rows, pinned to a commit, and a sentence for each failure. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { FakeHub, type HubModel } from '../../e2e/support/fakeHub';
import type { RetryPolicy } from '../io/retry';
import { parquetBytes } from '../text/testing/parquetFile';
import { datasetInstructions, type InstructionDataset } from './datasetInstructions';
import { datasetName, stem } from './datasetName';

let hub: FakeHub;
const retry: RetryPolicy = { attempts: 3, firstWait: 1, longestWait: 5, longestAsked: 1500, silence: 300 };
/** What does not compress, so that sizes mean something. */
const noise = (row: number): string =>
  Array.from({ length: 2000 }, (_, at) => String.fromCharCode(97 + ((row * 31 + at * at * 7 + at) % 26))).join('');
const pairs = Array.from({ length: 12 }, (_, row) => ({
  instruction: `Do ${row}.`,
  input: row % 2 === 0 ? '' : `with ${row}`,
  output: noise(row),
}));
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const shard = (from: number, to: number): Uint8Array => {
  const rows = pairs.slice(from, to);
  return parquetBytes(
    {
      text: rows.map((_, row) => noise(from + row + 100)), // Alpaca's data has this column, too
      instruction: rows.map(({ instruction }) => instruction),
      input: rows.map(({ input }) => (input === '' ? null : input)),
      output: rows.map(({ output }) => output),
    },
    { rowGroupSize: 4 },
  );
};

beforeAll(async () => {
  hub = await FakeHub.start();
});
afterAll(() => hub.stop());
beforeEach(() => {
  hub.reset();
  hub.fault();
});

const put = (files: Record<string, Uint8Array>, more: Partial<HubModel> = {}): string =>
  hub.putDataset('owner/pairs', { folder: new Map(Object.entries(files)), ...more });
const read = (more: Partial<InstructionDataset> = {}, signal?: AbortSignal) =>
  datasetInstructions({ dataset: 'owner/pairs', ...more }, { hub: hub.url, retry, signal });
const shards = {
  'README.md': bytesOf('x'),
  'data/test-00000-of-00001.parquet': shard(0, 1),
  'data/train-00000-of-00002-a09b74b3ef9c3b56.parquet': shard(0, 8),
  'data/train-00001-of-00002-b09b74b3ef9c3b56.parquet': shard(8, 12),
};

test('all shards of the split, pinned to the commit, with the place that a recipe tells', async () => {
  const sha = put(shards);
  expect(await read()).toEqual({
    ...{ pairs, revision: sha, complete: true },
    source: `hf:owner/pairs@${sha}/data/train*`,
  });
  expect(hub.requests[0]).toBe('api datasets/owner/pairs main');
  expect(hub.urls.slice(1).every((url) => !url.includes('/resolve/') || url.includes(`/resolve/${sha}/`))).toBe(true);
});

test('the first rows alone: one file, and of it the three columns of one row group', async () => {
  put(shards);
  const found = await read({ rows: 3 });
  expect(found).toMatchObject({ pairs: pairs.slice(0, 3), complete: false });
  expect([...hub.sent.keys()]).toEqual(['data/train-00000-of-00002-a09b74b3ef9c3b56.parquet']);
  const [file] = hub.sent.keys();
  expect(found.source.endsWith(`/${file}`)).toBe(true);
});

test.each<[string, string, Uint8Array]>([
  ['a JSON list', 'train.json', bytesOf(JSON.stringify(pairs))],
  ['JSON Lines', 'pairs.jsonl', bytesOf(pairs.map((pair) => JSON.stringify(pair)).join('\n\n'))],
])('%s', async (_, name, bytes) => {
  const sha = put({ 'dataset_infos.json': bytesOf('{}'), [name]: bytes });
  expect(await read()).toEqual({ pairs, revision: sha, complete: true, source: `hf:owner/pairs@${sha}/${name}` });
  expect(await read({ rows: 5 })).toMatchObject({ pairs: pairs.slice(0, 5), complete: false });
});

test('a file, a split and a revision by name; without files of pairs, the Hub is asked for its conversion', async () => {
  put({ ...shards, 'other.jsonl': bytesOf('{"instruction":"a","output":"b"}') });
  const other = [{ instruction: 'a', input: '', output: 'b' }];
  expect(await read({ file: 'other.jsonl' })).toMatchObject({ pairs: other });
  expect(await read({ split: 'test' })).toMatchObject({ pairs: pairs.slice(0, 1) });
  await expect(read({ split: 'validation', revision: 'main' })).rejects.toMatchObject({
    code: 'missing-file',
    message: expect.stringContaining("of the split 'validation', found none"),
  });
  put({ 'data.csv': bytesOf('a') });
  await expect(read()).rejects.toMatchObject({ code: 'missing-file', message: expect.stringContaining('found none') });
  expect(hub.requests.at(-1)).toBe('api datasets/owner/pairs refs/convert/parquet');
  put({ 'default/train/0000.parquet': shard(0, 2) }, { branch: 'refs/convert/parquet' });
  expect(await read({ dataset: 'owner/pairs@refs/convert/parquet' })).toMatchObject({ pairs: pairs.slice(0, 2) });
});

test('a break of the line and an ignored range: the same pairs', async () => {
  put(shards);
  hub.fault(
    { kind: 'status', status: 503, times: 1 },
    { kind: 'cut', bytes: 100, times: 1 },
    { kind: 'whole', times: 1 },
  );
  expect((await read()).pairs).toEqual(pairs);
});

test.each<[string, Record<string, Uint8Array>, Partial<InstructionDataset>, string, string]>([
  ['a name that is none', {}, { dataset: 'alpaca' }, 'bad-argument', 'owner/name'],
  [
    'other columns in parquet',
    { 'train.parquet': parquetBytes({ question: ['a'] }) },
    {},
    'bad-source',
    'expected the columns instruction and output in train.parquet, got id, question.',
  ],
  [
    'other fields in JSON',
    { 'train.json': bytesOf('[{"prompt":"a"}]') },
    {},
    'bad-source',
    'in train.json, got prompt.',
  ],
  ['no such file', shards, { file: 'data/x.parquet' }, 'missing-file', 'data/x.parquet'],
  ['a file of another kind', shards, { file: 'README.md' }, 'bad-source', 'expected a .parquet, .jsonl or .json'],
  ['no rows', { 'a.json': bytesOf('[]') }, {}, 'bad-source', 'has no rows'],
  [
    'a bad line',
    { 'a.jsonl': bytesOf('{"instruction":"a","output":"b"}\n{"instruction":1,"output":""}') },
    {},
    'bad-argument',
    'a.jsonl, line 2',
  ],
  ['bytes that are no text', { 'a.jsonl': new Uint8Array([0xff, 0xfe, 0]) }, {}, 'bad-source', 'expected UTF-8'],
])('%s: refused', async (_, files, asked, code, message) => {
  put(files);
  await expect(read({ revision: 'main', ...asked })).rejects.toMatchObject({
    code,
    message: expect.stringContaining(message),
  });
});

test('a gated data set asks for its file; a Hub that does not answer is the answer', async () => {
  put(shards, { token: 'hf_x' });
  await expect(read()).rejects.toMatchObject({ code: 'gated', remedy: expect.stringContaining('download its file') });
  put(shards);
  hub.fault({ kind: 'status', status: 503 });
  await expect(read()).rejects.toMatchObject({ code: 'network' });
});

test('a fetch can be cancelled in the middle of a range', async () => {
  put(shards);
  hub.fault({ kind: 'slow', bytesPerSecond: 1000 });
  const controller = new AbortController();
  const reading = read({}, controller.signal);
  setTimeout(() => controller.abort(), 50);
  await expect(reading).rejects.toMatchObject({ code: 'aborted' });
});

test.each([
  ['tatsu-lab/alpaca', 'tatsu-lab/alpaca', null],
  [' owner/name@v1 ', 'owner/name', 'v1'],
  ['https://huggingface.co/datasets/tatsu-lab/alpaca', 'tatsu-lab/alpaca', null],
  ['https://huggingface.co/datasets/owner/name/tree/dev/data', 'owner/name', 'dev'],
  ['https://huggingface.co/datasets/owner/name/viewer/default/train?row=1', 'owner/name', null],
])('%s names a data set', (text, repository, revision) => {
  expect(datasetName(text)).toEqual({ repository, revision });
});

test('shards of one split have one stem', () => {
  const of = ['data/train-00000-of-00002-a09b74b3ef9c3b56.parquet', 'data/train/0001.parquet', 'alpaca_data.json'];
  expect(of.map(stem)).toEqual(['data/train', 'data/train', 'alpaca_data.json']);
});
