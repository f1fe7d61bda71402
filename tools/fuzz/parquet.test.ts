/** @file Mutated parquet files: a text, or an error that says what is wrong; never more rows or bytes than the bounds. */
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { LabError } from '../../src/errors';
import { DocumentCollector, maxCharacters } from '../../src/text/documents';
import { readColumnInto } from '../../src/text/readers/parquetRead';
import { parquetBytes } from '../../src/text/testing/parquetFile';
import { forEachMutation, fuzzTimeout, mutateBytes, pick } from './mutate';

const rows = ['one', '', null, 'zwei 語', 'three', 'three', 'three', null, 'a much longer text '.repeat(20), 'one'];
const gzip = { codec: 'GZIP', compressors: { GZIP: (input: Uint8Array) => new Uint8Array(gzipSync(input)) } } as const;
/** pyarrow's, with other encodings and versions of pages. */
const others = JSON.parse(readFileSync('tools/parquet/fixtures/files.json', 'utf8')) as { bytes: string }[];
const files = [
  ...others.map(({ bytes }) => Uint8Array.from(Buffer.from(bytes, 'base64'))),
  parquetBytes({ text: rows }),
  parquetBytes({ text: rows }, { codec: 'SNAPPY', rowGroupSize: 3 }),
  parquetBytes({ text: rows }, gzip),
  parquetBytes({ title: rows.map(() => 'T'), text: rows.map(() => 'the same') }),
];
/** Where the file's own words about itself are: mutations there say more than those of texts. */
const footerOf = (bytes: Uint8Array): number =>
  bytes.length - 8 - new DataView(bytes.buffer, bytes.byteOffset).getUint32(bytes.length - 8, true);

async function read(bytes: Uint8Array<ArrayBuffer>): Promise<readonly string[]> {
  const collector = new DocumentCollector('a.parquet');
  const slice = async (begin: number, end: number) => bytes.slice(begin, end).buffer;
  await readColumnInto({ name: 'a.parquet', size: bytes.length, slice }, collector);
  return collector.found().texts;
}

test('mutated parquet files', { timeout: fuzzTimeout }, async () => {
  let accepted = 0;
  await forEachMutation(async (random) => {
    const bytes = pick(random, files);
    const footer = footerOf(bytes);
    const part = pick(random, ['whole', 'footer', 'pages']);
    let mutated = mutateBytes(random, bytes);
    if (part === 'footer') {
      const changed = mutateBytes(random, bytes.subarray(footer, bytes.length - 8));
      const length = new Uint8Array(new Uint32Array([changed.length]).buffer);
      mutated = new Uint8Array([...bytes.subarray(0, footer), ...changed, ...length, ...bytes.subarray(-4)]);
    } else if (part === 'pages') {
      const changed = mutateBytes(random, bytes.subarray(4, footer));
      if (changed.length === footer - 4) {
        mutated = bytes.slice();
        mutated.set(changed, 4);
      }
    }
    try {
      const texts = await read(mutated);
      accepted += 1;
      expect(texts.length).toBeLessThanOrEqual(200);
      expect(texts.reduce((sum, text) => sum + text.length, 0)).toBeLessThanOrEqual(maxCharacters);
    } catch (thrown) {
      expect(thrown).toBeInstanceOf(LabError);
      expect(['bad-source']).toContain((thrown as LabError).code);
    }
  });
  // A change within a text leaves a file that can be read.
  expect(accepted).toBeGreaterThan(0);
});
