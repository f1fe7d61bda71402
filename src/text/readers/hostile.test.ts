/** @file Texts that would take for ever, or fill the memory: refused, or their beginning taken. */
import { expect, test } from 'vitest';
import { LabError } from '../../errors';
import { DocumentCollector } from '../documents';
import { parquetBytes } from '../testing/parquetFile';
import type { WorkerLike } from '../thread';
import { readTextFile } from './file';
import { collectParquet } from './parquet';

const refusal = (work: Promise<unknown>): Promise<LabError> =>
  work.then(
    () => expect.fail('it was not refused'),
    (thrown: unknown) => thrown as LabError,
  );
const read = (name: string, ...parts: BlobPart[]) => readTextFile(new File(parts, name));

/** Where the file's words about itself begin. */
const footerOf = (bytes: Uint8Array<ArrayBuffer>): number =>
  bytes.length - 8 - new DataView(bytes.buffer).getUint32(bytes.length - 8, true);

test('.parquet: a run that claims more values than its page has is refused before it is written out', async () => {
  const bytes = parquetBytes({ text: Array.from({ length: 2 ** 14 }, () => null) });
  // The last page is one run of levels, all of them 0: a length in three bytes, then the level.
  const run = footerOf(bytes) - 4;
  expect(bytes[run + 3]).toBe(0);
  bytes.set([0xfe, 0xff, 0x7f], run);
  const error = await refusal(read('a.parquet', bytes));
  expect(error).toMatchObject({
    code: 'bad-source',
    message: expect.stringContaining(`a run of ${2 ** 20 - 1} values`),
  });
});

test('.parquet: columns that lie outside of the file, and groups that give other rows than they say', async () => {
  const bytes = parquetBytes({ text: ['some text', 'more text'] });
  const short = bytes.slice();
  // num_rows of file and of group: 2, as zigzag 4; the group's is the last but its ordinal.
  const footer = footerOf(bytes);
  for (let at = footer; at < bytes.length - 8; at += 1)
    if (short[at] === 0x16 && short[at + 1] === 4) short[at + 1] = 6;
  expect((await refusal(read('a.parquet', short))).code).toBe('bad-source');
});

test('.parquet: a reader that never answers is ended, with an error that says so', async () => {
  const log: string[] = [];
  const deaf: WorkerLike = {
    onmessage: null,
    onerror: null,
    postMessage: () => undefined,
    terminate: () => log.push('ended'),
  };
  const controller = new AbortController();
  const source = { name: 'a.parquet', size: 9, slice: async () => new ArrayBuffer(9) };
  const reading = collectParquet(
    source,
    new DocumentCollector('a'),
    { signal: controller.signal },
    { spawn: () => deaf },
  );
  controller.abort();
  expect((await refusal(reading)).code).toBe('aborted');
  expect(log).toEqual(['ended']);
});

test('documents without text count, and so do rows and lines that are none', () => {
  const empty = new DocumentCollector('a', 3);
  for (let row = 0; row < 4; row += 1) empty.add('');
  expect(empty).toMatchObject({ full: true, count: 3 });
  const nothing = new DocumentCollector('a', { characters: 10, documents: 10, looked: 4 });
  for (let row = 0; row < 5; row += 1) nothing.skip();
  expect(nothing.full).toBe(true);
  expect(() => nothing.finish(false)).toThrow('contains no text');
  const both = new DocumentCollector('a', { characters: 10, documents: 10, looked: 4 });
  both.add('x');
  for (let row = 0; row < 3; row += 1) both.skip();
  both.add('y');
  expect(both.finish(true)).toEqual({ texts: ['x'], complete: false });
});

test.each<[string, string, BlobPart[], string]>([
  [
    'lists within each other',
    'a.jsonl',
    ['{"text": "a", "x": ', '['.repeat(2000), ']'.repeat(2000), '}'],
    'line 1: expected at most 512',
  ],
  ['brackets without end', 'a.jsonl', ['['.repeat(1_000_000)], 'line 1: expected at most 512'],
  ['a number for the text', 'a.jsonl', ['{"text": 1e999}'], 'line 1: no field is a string'],
  ['UTF-16 with its mark', 'a.txt', [new Uint8Array([0xff, 0xfe, 97, 0, 98, 0])], 'expected UTF-8'],
  ['UTF-16 without', 'a.txt', [new Uint8Array([97, 0, 98, 0, 99, 0])], 'UTF-16 or not text'],
  ['zeros', 'a.txt', [new Uint8Array(1000)], 'UTF-16 or not text'],
  ['incomplete character', 'a.txt', [new Uint8Array([97, 0xe8, 0xaa])], 'expected UTF-8'],
])('%s: refused', async (_, name, parts, message) => {
  const error = await refusal(read(name, ...parts));
  expect(error).toBeInstanceOf(LabError);
  expect(error).toMatchObject({ code: 'bad-source', message: expect.stringContaining(message) });
});

test('.jsonl: brackets within a text are no lists', async () => {
  const text = '['.repeat(5000);
  expect((await read('a.jsonl', JSON.stringify({ text }))).texts).toEqual([text]);
});

test('.jsonl: a long line that comes in many pieces is joined once', async () => {
  const text = 'x"\\'.repeat(300_000);
  expect((await read('a.jsonl', JSON.stringify({ text }), '\n{"text": "b"}')).texts).toEqual([text, 'b']);
});
