/**
 * @file .parquet → the rows of its text column, one document each. Only the footer, then that column of as many row
 * groups as are needed, are read. What a file says of its sizes is checked before anything is made of it; callers that take
 * files from outside read them in a thread (parquet.ts).
 */
import {
  type AsyncBuffer,
  type ColumnChunk,
  type FileMetaData,
  parquetMetadataAsync,
  parquetSchema,
  type RowGroup,
} from 'hyparquet';
import { readOffsetIndex } from 'hyparquet/src/indexes.js';
import { LabError, throwIfAborted } from '../../errors';
import { formatBytes } from '../../io/storage';
import type { TaskOptions } from '../../task';
import type { DocumentCollector } from '../documents';
import { columnOf, PageReader } from './parquetPages';

/** Bytes that can be had in pieces. `slice` throws LabErrors. */
export interface ByteSource {
  readonly name: string;
  readonly size: number;
  slice(begin: number, end: number, signal: AbortSignal | undefined): Promise<ArrayBuffer>;
}

export interface ParquetOptions extends TaskOptions {
  /** Default: 'text' where there is one of strings, else the first column of strings. */
  column?: string | undefined;
  /** A row without text is an empty document, so that the rows of several columns belong together. */
  nullsAsEmpty?: boolean | undefined;
}

/** First read at the end of a file: it holds the whole footer of most. */
const footerBytes = 2 ** 16;
/** A column is read in steps of about this size where the file has an index of its pages. */
const stepBytes = 2 ** 22;
/** Most of a file that is read at once, and of a column that is unpacked from it. */
const maxPackedBytes = 2 ** 27;
const maxStepBytes = 2 ** 28;

/** Adds the documents of a file's text column until the collector is full. Throws 'bad-source', and what the source throws. */
export async function readColumnInto(
  source: ByteSource,
  collector: DocumentCollector,
  { column, nullsAsEmpty = false, signal, onProgress }: ParquetOptions = {},
): Promise<void> {
  const file = bufferOf(source, signal);
  try {
    const metadata = await parquetMetadataAsync(file, { initialFetchSize: footerBytes });
    const name = textColumn(source.name, metadata, column);
    const total = Number(metadata.num_rows);
    let done = 0;
    for (const group of metadata.row_groups) {
      const rows = countOf(group.num_rows, 'a row group of', 'rows');
      if (rows === 0) continue;
      let left = rows;
      for await (const values of pagesOf(source, file, metadata, group, name)) {
        throwIfAborted(signal, 'The load');
        for (let at = 0; at < values.length; at += 1) {
          addRow(collector, nullsAsEmpty ? (values[at] ?? '') : values[at], source.name, name);
        }
        left -= values.length;
        onProgress?.({ stage: `Reading ${source.name}`, done: done + rows - left, total, unit: 'rows' });
        if (collector.full) return;
      }
      if (left !== 0) throw new Error(`a row group of ${rows} rows gave ${rows - left}`);
      done += rows;
    }
  } catch (thrown) {
    throw unreadable(source, thrown, signal);
  }
}

/** The names of a file's columns. Throws 'bad-source', and what the source throws. */
export async function columnNames(source: ByteSource): Promise<string[]> {
  try {
    const file = bufferOf(source, undefined);
    const metadata = await parquetMetadataAsync(file, { initialFetchSize: footerBytes });
    return parquetSchema(metadata).children.map(({ element }) => element.name);
  } catch (thrown) {
    throw unreadable(source, thrown, undefined);
  }
}

function unreadable(source: ByteSource, thrown: unknown, signal: AbortSignal | undefined): LabError {
  throwIfAborted(signal, 'The load');
  if (thrown instanceof LabError) return thrown;
  const reason = thrown instanceof Error ? thrown.message : String(thrown);
  return new LabError(
    'bad-source',
    `${source.name}: expected a parquet file: ${reason.slice(0, 200)}`,
    'Download the file again, or rewrite it with pyarrow.',
    { cause: thrown },
  );
}

/** The values of a group's column, page by page: in steps where the file has an index of its pages, else from one read. */
async function* pagesOf(
  source: ByteSource,
  file: AsyncBuffer,
  metadata: FileMetaData,
  group: RowGroup,
  name: string,
): AsyncGenerator<ArrayLike<unknown>, void, undefined> {
  const column = columnOf(parquetSchema(metadata), group, name);
  const { meta } = column;
  const data = countOf(meta.data_page_offset, 'pages at', 'bytes');
  const dictionary = countOf(meta.dictionary_page_offset ?? data, 'a dictionary at', 'bytes');
  // Some writers leave a 0 where there is no dictionary.
  const begin = dictionary > 0 ? Math.min(dictionary, data) : data;
  const end = begin + countOf(meta.total_compressed_size, 'a column of', 'bytes');
  if (begin < 4 || end > file.byteLength) throw new Error(`a column of bytes ${begin} to ${end}`);
  let rows = countOf(group.num_rows, 'a row group of', 'rows');
  const reader = new PageReader(column);
  for (const [from, to] of await stepsOf(source, file, chunkOf(group, name), begin, end)) {
    for (const values of reader.pages(await file.slice(from, to), rows)) {
      rows -= values.length;
      yield values;
    }
  }
}

/** Where to read a column's pages, [from, to) in order: the dictionary goes with the first ones. */
async function stepsOf(
  source: ByteSource,
  file: AsyncBuffer,
  { meta_data, offset_index_offset, offset_index_length }: ColumnChunk,
  begin: number,
  end: number,
): Promise<[from: number, to: number][]> {
  const unpacked = countOf(meta_data?.total_uncompressed_size, 'a column of', 'bytes');
  if (offset_index_offset === undefined || offset_index_length === undefined || unpacked <= stepBytes) {
    if (unpacked > maxStepBytes) throw tooLarge(source.name, unpacked, maxStepBytes);
    return [[begin, end]];
  }
  const at = countOf(offset_index_offset, 'an index at', 'bytes');
  const index = await file.slice(at, at + countOf(offset_index_length, 'an index of', 'bytes'));
  const { page_locations: pages } = readOffsetIndex({ view: new DataView(index), offset: 0 });
  const steps: [number, number][] = [];
  let from = begin;
  for (const { offset, compressed_page_size } of pages) {
    const start = countOf(offset, 'a page at', 'bytes');
    if (start < from || start > end) throw new Error(`a page at byte ${start}`);
    const to = start + countOf(compressed_page_size, 'a page of', 'bytes');
    if (to > end) throw new Error(`a page up to byte ${to}`);
    const last = steps.at(-1);
    if (last && to - last[0] <= stepBytes) last[1] = to;
    else steps.push([from, to]);
    from = to;
  }
  return steps;
}

function chunkOf(group: RowGroup, name: string): ColumnChunk {
  const chunk = group.columns.find(({ meta_data }) => meta_data?.path_in_schema[0] === name);
  if (chunk) return chunk;
  throw new Error(`a row group lacks the column '${name}'`);
}

/** A count that a file says. */
function countOf(value: unknown, what: string, unit: string): number {
  const count = Number(value);
  if (Number.isSafeInteger(count) && count >= 0) return count;
  throw new Error(`${what} ${String(value)} ${unit}`);
}

/** A row without text (null) is no document. */
function addRow(collector: DocumentCollector, value: unknown, file: string, column: string): void {
  if (typeof value === 'string') collector.add(value);
  else if (value === null || value === undefined) collector.skip();
  else {
    throw new LabError(
      'bad-source',
      `${file}: expected text in the column '${column}', got a ${typeof value}.`,
      'Choose a column of strings.',
    );
  }
}

/** The source as the library reads it; the end of the file, which it reads first, is kept for what follows. */
function bufferOf(source: ByteSource, signal: AbortSignal | undefined): AsyncBuffer {
  let tail: { begin: number; bytes: ArrayBuffer } | null = null;
  return {
    byteLength: source.size,
    async slice(begin, end = source.size) {
      if (tail && begin >= tail.begin) return tail.bytes.slice(begin - tail.begin, end - tail.begin);
      if (end < begin || begin < 0) throw new Error(`bytes ${begin} to ${end}`);
      if (end - begin > maxPackedBytes) throw tooLarge(source.name, end - begin, maxPackedBytes);
      const bytes = await source.slice(begin, end, signal);
      if (end === source.size) tail ??= { begin, bytes };
      return bytes;
    },
  };
}

/** The column that holds the text. */
function textColumn(file: string, metadata: FileMetaData, wanted: string | undefined): string {
  const columns = parquetSchema(metadata).children;
  const strings = columns
    .filter(
      ({ children, element: { type, converted_type, logical_type } }) =>
        children.length === 0 &&
        type === 'BYTE_ARRAY' &&
        (converted_type === 'UTF8' || logical_type?.type === 'STRING'),
    )
    .map(({ element }) => element.name);
  const found = wanted ?? (strings.includes('text') ? 'text' : strings[0]);
  if (found !== undefined && strings.includes(found)) return found;
  const names = columns.map(({ element }) => element.name);
  throw new LabError(
    'bad-source',
    `${file}: expected ${wanted === undefined ? 'a column of strings' : `a column '${wanted}' of strings`}, got ${names.join(', ').slice(0, 200) || 'none'}.`,
    strings.length > 0 ? `Choose one of ${strings.join(', ').slice(0, 200)}.` : 'Choose another file.',
  );
}

function tooLarge(file: string, bytes: number, most: number): LabError {
  return new LabError(
    'bad-source',
    `${file}: the text of a row group has ${formatBytes(bytes)}, expected at most ${formatBytes(most)}.`,
    'Write the file with smaller row groups, e.g. of 1,000 rows, or with a page index.',
  );
}
