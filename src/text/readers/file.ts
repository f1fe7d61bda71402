/** @file A file from this device → documents, by its name. */
import { LabError } from '../../errors';
import type { TaskOptions } from '../../task';
import type { Documents } from '../documents';
import { readJsonLines } from './jsonLines';
import { fileSource, readParquet } from './parquet';
import { readPlain } from './plain';

export interface ReadOptions extends TaskOptions {
  /** Field of a .jsonl's records, or column of a .parquet. */
  field?: string | undefined;
}

/** Reads .txt, .md, .jsonl (each also .gz) and .parquet. Throws 'bad-source'. */
export async function readTextFile(file: File, { field, ...task }: ReadOptions = {}): Promise<Documents> {
  const name = file.name.toLowerCase().replace(/\.gz$/, '');
  const read = {
    jsonl: () => readJsonLines(file, { ...task, field }),
    parquet: () => readParquet(fileSource(file), { ...task, column: field }),
    plain: () => readPlain(file, task),
  };
  const documents = await readerOf(name, file, read)();
  if (documents.texts.some((text) => text !== '')) return documents;
  throw new LabError('bad-source', `${file.name} contains no text.`, 'Choose another file.');
}

function readerOf<T>(name: string, file: File, readers: Record<'jsonl' | 'parquet' | 'plain', T>): T {
  if (name.endsWith('.jsonl') || name.endsWith('.ndjson')) return readers.jsonl;
  if (name.endsWith('.parquet') && !/\.gz$/i.test(file.name)) return readers.parquet;
  if (name.endsWith('.txt') || name.endsWith('.md')) return readers.plain;
  throw new LabError(
    'bad-source',
    `${file.name}: expected a .txt, .md, .jsonl or .parquet file.`,
    'Save the text in one of these formats; .jsonl has one JSON object per line.',
  );
}
