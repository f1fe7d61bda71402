/**
 * @file .parquet → the rows of its text column, one document each. Only the footer, then that column of as many row
 * groups as are needed, are read: from a file here, or by byte ranges from far away.
 */
import {
  type AsyncBuffer,
  type ColumnMetaData,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
  parquetSchema,
  type RowGroup,
} from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { LabError, throwIfAborted } from '../../errors';
import { formatBytes } from '../../shards/storage';
import type { TaskOptions } from '../../task';
import { DocumentCollector, type Documents } from '../documents';

/** Bytes that can be had in pieces. `slice` throws LabErrors. */
export interface ByteSource {
  readonly name: string;
  readonly size: number;
  slice(begin: number, end: number, signal: AbortSignal | undefined): Promise<ArrayBuffer>;
}

export function fileSource(file: File): ByteSource {
  return {
    name: file.name,
    size: file.size,
    slice: (begin, end) =>
      file
        .slice(begin, end)
        .arrayBuffer()
        .catch((cause: unknown) => {
          throw new LabError('bad-source', `${file.name} could not be read (${String(cause)}).`, 'Choose it again.', {
            cause,
          });
        }),
  };
}

export interface ParquetOptions extends TaskOptions {
  /** Default: 'text' where there is one of strings, else the first column of strings. */
  column?: string | undefined;
}

/** First read at the end of a file: it holds the whole footer of most. */
const footerBytes = 2 ** 16;
/** A column is read in steps of about this size where the file has an index of its pages. */
const stepBytes = 2 ** 22;
/** Most of a column that is read, and unpacked, at once. */
const maxPackedBytes = 2 ** 27;
const maxStepBytes = 2 ** 28;

/** Adds the documents of a file's text column until the collector is full. Throws 'bad-source', and what the source throws. */
export async function collectParquet(
  source: ByteSource,
  collector: DocumentCollector,
  { column, signal, onProgress }: ParquetOptions = {},
): Promise<void> {
  const file = bufferOf(source, signal);
  try {
    const metadata = await parquetMetadataAsync(file, { initialFetchSize: footerBytes });
    const name = textColumn(source.name, metadata, column);
    const total = Number(metadata.num_rows);
    let groupStart = 0;
    for (const group of metadata.row_groups) {
      const rows = Number(group.num_rows);
      const step = stepOf(source.name, group, name);
      for (let start = 0; start < rows; start += step) {
        throwIfAborted(signal, 'The load');
        const [rowStart, rowEnd] = [groupStart + start, groupStart + Math.min(rows, start + step)];
        const read = { file, metadata, columns: [name], rowStart, rowEnd, compressors, useOffsetIndex: true };
        for (const row of await parquetReadObjects(read)) addRow(collector, row[name] as unknown, source.name, name);
        onProgress?.({ stage: `Reading ${source.name}`, done: rowEnd, total, unit: 'rows' });
        if (collector.full) return;
      }
      groupStart += rows;
    }
  } catch (thrown) {
    throwIfAborted(signal, 'The load');
    if (thrown instanceof LabError) throw thrown;
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    throw new LabError(
      'bad-source',
      `${source.name}: expected a parquet file: ${reason.slice(0, 200)}`,
      'Fetch the file again, or write it anew with pyarrow.',
      { cause: thrown },
    );
  }
}

export async function readParquet(source: ByteSource, options: ParquetOptions = {}): Promise<Documents> {
  const collector = new DocumentCollector(source.name);
  await collectParquet(source, collector, options);
  return collector.finish(true);
}

/** A row without text (null) is no document. */
function addRow(collector: DocumentCollector, value: unknown, file: string, column: string): void {
  if (typeof value === 'string') collector.add(value);
  else if (value !== null && value !== undefined) {
    throw new LabError(
      'bad-source',
      `${file}: expected text in the column '${column}', got a ${typeof value}.`,
      'Name a column of strings.',
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
    strings.length > 0 ? `Name one of ${strings.join(', ').slice(0, 200)}.` : 'Choose another file.',
  );
}

/** Rows to read at once of a row group. */
function stepOf(file: string, group: RowGroup, column: string): number {
  const rows = Math.max(1, Number(group.num_rows));
  const chunk = group.columns.find(({ meta_data }) => meta_data?.path_in_schema[0] === column);
  const meta: ColumnMetaData | undefined = chunk?.meta_data;
  if (!meta) throw new Error(`a row group lacks the column '${column}'`);
  const bytes = Math.max(1, Number(meta.total_uncompressed_size));
  const step = chunk?.offset_index_offset === undefined ? rows : Math.ceil((rows * stepBytes) / bytes);
  const read = bytes * Math.min(1, step / rows);
  if (read > maxStepBytes) throw tooLarge(file, read, maxStepBytes);
  return Math.min(rows, step);
}

function tooLarge(file: string, bytes: number, most: number): LabError {
  return new LabError(
    'bad-source',
    `${file}: a row group's text takes ${formatBytes(bytes)}, expected at most ${formatBytes(most)}.`,
    'Write the file with smaller row groups, e.g. of 1,000 rows, or with a page index.',
  );
}
