import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { LabError } from '../../errors';
import type { Progress } from '../../task';
import { DocumentCollector, maxCharacters } from '../documents';
import { parquetBytes } from '../testing/parquetFile';
import { readTextFile } from './file';
import { type ByteSource, collectParquet, readParquet } from './parquet';

const file = (name: string, ...parts: BlobPart[]): File => new File(parts, name);
const read = (...args: Parameters<typeof file>) => readTextFile(file(...args));
const gz = (text: string): Uint8Array<ArrayBuffer> => new Uint8Array(gzipSync(text));

const refusal = (work: Promise<unknown>): Promise<LabError> =>
  work.then(
    () => expect.fail('it was not refused'),
    (thrown: unknown) => thrown as LabError,
  );

test('.txt: one document, every character of it, whatever the pieces that bytes come in', async () => {
  const text = '\n  Größe 語 👩‍👩‍👧‍👦\r\n\tend \n';
  expect(await read('a.txt', text)).toEqual({ texts: [text], complete: true });
  expect(await read('A.TXT', '\uFEFF', text)).toEqual({ texts: [text], complete: true });
  expect(await read('a.txt.gz', gz(text))).toEqual({ texts: [text], complete: true });
  const long = '語'.repeat(200_000); // many pieces, most of which end inside a character
  expect((await read('a.md', long)).texts).toEqual([long]);
});

test.each<[string, File, string]>([
  ['other bytes than UTF-8', file('a.txt', new Uint8Array([97, 0xff, 0xfe])), 'a.txt: expected UTF-8'],
  ['an empty file', file('a.txt', ''), 'a.txt contains no text'],
  ['no gzip', file('a.txt.gz', 'plain'), 'a.txt.gz could not be read'],
  ['too much', file('a.txt', 'x'.repeat(maxCharacters + 1)), `at most ${maxCharacters} characters`],
  ['another kind of file', file('a.pdf', 'x'), 'a.pdf: expected a .txt, .md, .jsonl or .parquet file'],
])('%s: refused', async (_, given, message) => {
  const error = await refusal(readTextFile(given));
  expect(error.message).toContain(message);
  expect(error.code).toBe('bad-source');
  expect(error.remedy).not.toBe('');
});

test(".jsonl: the field 'text', else the first that is a string; empty lines are none", async () => {
  const lines = '{"id": 1, "text": "a\\nb"}\r\n\n{"text": "", "id": 2}\n{"text": "c"}';
  expect(await read('a.jsonl', lines)).toEqual({ texts: ['a\nb', '', 'c'], complete: true });
  expect((await read('a.jsonl', '{"n": 1, "body": "x", "title": "y"}\n')).texts).toEqual(['x']);
  const titles = await readTextFile(file('a.jsonl.gz', gz('{"body": "x", "title": "y"}')), { field: 'title' });
  expect(titles.texts).toEqual(['y']);
});

test.each<[string, string, string]>([
  ['broken JSON', '{"text": "a"}\n\n{"text": ', 'a.jsonl, line 3: expected JSON'],
  ['a list', '["a"]', 'line 1: expected an object, got a list'],
  ['no string', '{"n": 1, "m": null}', 'line 1: no field is a string (fields: n, m)'],
  [
    'a record without the field',
    '{"text": "a"}\n{"body": "b"}',
    "line 2: expected a string in the field 'text', got nothing",
  ],
  ['a number in the field', '{"text": "a"}\n{"text": 5}', "in the field 'text', got a number"],
  ['nothing', '\n\n', 'a.jsonl contains no text'],
])('.jsonl with %s: refused with the line', async (_, lines, message) => {
  expect((await refusal(read('a.jsonl', lines))).message).toContain(message);
});

test('.jsonl: a large file gives its beginning, and says so', async () => {
  const record = `${JSON.stringify({ text: 'x'.repeat(maxCharacters / 4) })}\n`;
  const documents = await read('a.jsonl', record.repeat(6));
  expect(documents.texts).toHaveLength(4);
  expect(documents.complete).toBe(false);
});

const rows = ['one', '', null, 'zwei 語', 'three'];
const texts = ['one', '', 'zwei 語', 'three'];

/** A Zstandard frame that holds the bytes as they are, in one raw block (RFC 8878). */
function zstdRaw(input: Uint8Array): Uint8Array<ArrayBuffer> {
  const header = new DataView(new ArrayBuffer(12));
  header.setUint32(0, 0xfd2fb528, true);
  header.setUint8(4, 0xa0); // one segment, its size in four bytes
  header.setUint32(5, input.length, true);
  const block = (input.length << 3) | 1; // the last block, raw
  for (let byte = 0; byte < 3; byte++) header.setUint8(9 + byte, (block >> (8 * byte)) & 0xff);
  return new Uint8Array([...new Uint8Array(header.buffer), ...input]);
}

test.each([
  ['UNCOMPRESSED', {}],
  ['SNAPPY', {}],
  ['GZIP', { compressors: { GZIP: (input: Uint8Array) => new Uint8Array(gzipSync(input)) } }],
  ['ZSTD', { compressors: { ZSTD: zstdRaw } }],
] as const)(
  '.parquet, %s: rows of the text column in order, over row groups; null is no document',
  async (codec, more) => {
    const bytes = parquetBytes({ title: rows.map(() => 'T'), text: rows }, { codec, ...more, rowGroupSize: 2 });
    expect(await read('a.parquet', bytes)).toEqual({ texts, complete: true });
    const titled = await readTextFile(file('a.parquet', bytes), { field: 'title' });
    expect(titled.texts).toEqual(rows.map(() => 'T'));
  },
);

test('.parquet: the first column of strings where none is called text', async () => {
  expect((await read('a.parquet', parquetBytes({ sentence: ['a'], other: ['b'] }))).texts).toEqual(['a']);
});

test.each<[string, Uint8Array<ArrayBuffer>, string | undefined, string]>([
  ['no parquet', new TextEncoder().encode('x'.repeat(100)), undefined, 'expected a parquet file'],
  ['nothing', new Uint8Array(0), undefined, 'expected a parquet file'],
  ['half of a file', parquetBytes({ text: ['a'] }).slice(0, 60), undefined, 'expected a parquet file'],
  ['no strings', parquetBytes({}), undefined, 'expected a column of strings, got id'],
  ['another column', parquetBytes({ text: ['a'] }), 'body', "expected a column 'body' of strings, got id, text"],
  ['a column of numbers', parquetBytes({ text: ['a'] }), 'id', "expected a column 'id' of strings"],
])('.parquet with %s: refused', async (_, bytes, field, message) => {
  const error = await refusal(readTextFile(file('a.parquet', bytes), { field }));
  expect(error.message).toContain(message);
  expect(error.code).toBe('bad-source');
});

test('a broken page is refused, not read as text', async () => {
  const bytes = parquetBytes({ text: ['some text that is long enough'] }, { codec: 'SNAPPY' });
  bytes.fill(0xff, 20, 60);
  expect((await refusal(read('a.parquet', bytes))).code).toBe('bad-source');
});

/** A source that keeps which ranges were asked for. */
function watched(bytes: Uint8Array<ArrayBuffer>): ByteSource & { ranges: [number, number][] } {
  const ranges: [number, number][] = [];
  return {
    name: 'far.parquet',
    size: bytes.length,
    ranges,
    slice: async (begin, end) => {
      ranges.push([begin, end]);
      return bytes.slice(begin, end).buffer;
    },
  };
}

test('from far away only the footer and the column of as many row groups as are needed are asked for', async () => {
  const text = Array.from({ length: 40 }, (_, index) => `${index} `.repeat(1000));
  const other = text.map((row) => row.toUpperCase().replaceAll(' ', '_'));
  const source = watched(parquetBytes({ other, text }, { rowGroupSize: 10 }));
  const collector = new DocumentCollector('far', 15);
  const heard: Progress[] = [];
  await collectParquet(source, collector, { onProgress: (progress) => heard.push(progress) });
  expect(collector.finish(true)).toEqual({ texts: text.slice(0, 15), complete: false });
  const asked = source.ranges.reduce((sum, [begin, end]) => sum + end - begin, 0);
  // The footer's read (64 KiB), and two of four row groups of one of two columns.
  expect(asked).toBeLessThan(2 ** 16 + source.size * 0.3);
  expect(heard.at(-1)).toMatchObject({ done: 20, total: 40, unit: 'rows' });
});

test('a reading can be cancelled', async () => {
  const controller = new AbortController();
  const bytes = parquetBytes({ text: ['a', 'b', 'c'] }, { rowGroupSize: 1 });
  const reading = readParquet(watched(bytes), { signal: controller.signal, onProgress: () => controller.abort() });
  expect((await refusal(reading)).code).toBe('aborted');
  const plain = readTextFile(file('a.txt', 'x'), { signal: AbortSignal.abort() });
  expect((await refusal(plain)).code).toBe('aborted');
});
