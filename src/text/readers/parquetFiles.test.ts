/** @file Parquet files as pyarrow writes them: codecs, encodings, versions of pages, missing values. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { DocumentCollector } from '../documents';
import { readColumnInto } from './parquetRead';

const files = JSON.parse(readFileSync('tools/parquet/fixtures/files.json', 'utf8')) as {
  name: string;
  bytes: string;
  texts: string[];
}[];

test.each(files)('$name', async ({ bytes, texts }) => {
  const file = Uint8Array.from(Buffer.from(bytes, 'base64'));
  const collector = new DocumentCollector('a.parquet');
  const slice = async (begin: number, end: number) => file.slice(begin, end).buffer;
  await readColumnInto({ name: 'a.parquet', size: file.length, slice }, collector);
  expect(collector.found()).toMatchObject({ texts, full: false });
});
