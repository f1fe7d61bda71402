/**
 * @file A parquet file read in a thread of its own: a damaged one may keep its reader busy for ever, or fill its memory.
 * The bytes come from here, from a file or by ranges from far away; the documents come back.
 */
import { LabError } from '../../errors';
import type { TaskOptions } from '../../task';
import { DocumentCollector, type Documents } from '../documents';
import { hasWebWorkers, Thread, type ThreadOptions, type WorkerLike } from '../thread';
import type { ByteSource, ParquetOptions } from './parquetRead';
import { type ParquetFound, parquetMethods } from './parquetThread';

export type { ByteSource, ParquetOptions } from './parquetRead';

/** Longest silence of the reader while it waits for no bytes, in ms. */
const patience = 20_000;

function spawnWorker(): WorkerLike {
  return new Worker(new URL('./parquet.worker.ts', import.meta.url), { type: 'module', name: 'parquet' });
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

/** Where a thread of its own comes from; null works here, as in Node. */
export interface ReaderThread {
  readonly spawn?: ThreadOptions['spawn'];
}

/** Adds the documents of a file's text column until the collector is full. Throws 'bad-source', and what the source throws. */
export function collectParquet(
  source: ByteSource,
  collector: DocumentCollector,
  { column, nullsAsEmpty = false, signal, onProgress }: ParquetOptions = {},
  reader: ReaderThread = {},
): Promise<void> {
  return inThread(source, reader, async (thread) => {
    const { texts, skipped, full } = (await thread.call(
      'read',
      [{ name: source.name, size: source.size }, column, collector.room, nullsAsEmpty],
      {
        signal,
        onHeard: (done, total) => onProgress?.({ stage: `Reading ${source.name}`, done, total, unit: 'rows' }),
        onAsk: (begin, end) => source.slice(begin as number, end as number, signal),
      },
    )) as ParquetFound;
    for (const text of texts) collector.add(text);
    for (let row = 0; row < skipped; row += 1) collector.skip();
    if (full) collector.close();
  });
}

export async function readParquet(source: ByteSource, options: ParquetOptions = {}): Promise<Documents> {
  const collector = new DocumentCollector(source.name);
  await collectParquet(source, collector, options);
  return collector.finish(true);
}

/**
 * The rows of one column of strings from the first on, as many as a text may hold; rows without a value are empty.
 * @param rows most rows
 */
export async function parquetColumn(
  source: ByteSource,
  options: ParquetOptions,
  rows?: number,
): Promise<{ readonly texts: readonly string[]; readonly complete: boolean }> {
  const collector = new DocumentCollector(source.name, rows);
  await collectParquet(source, collector, { ...options, nullsAsEmpty: true });
  const { texts, full } = collector.found();
  return { texts, complete: !full };
}

/** The names of a file's columns. */
export function parquetColumns(source: ByteSource, { signal }: TaskOptions = {}): Promise<readonly string[]> {
  return inThread(source, {}, async (thread) => {
    const onAsk = (begin: unknown, end: unknown) => source.slice(begin as number, end as number, signal);
    const { name, size } = source;
    return (await thread.call('columns', [{ name, size }], { signal, onAsk })) as readonly string[];
  });
}

async function inThread<T>(
  source: ByteSource,
  { spawn = hasWebWorkers() ? spawnWorker : null }: ReaderThread,
  work: (thread: Thread) => Promise<T>,
): Promise<T> {
  const thread = new Thread({
    spawn,
    methods: parquetMethods,
    patience,
    failed: (what) =>
      new LabError(
        'bad-source',
        `${source.name}: the reader was stopped: ${what}.`,
        'Download the file again, or rewrite it with pyarrow.',
      ),
  });
  try {
    return await work(thread);
  } finally {
    thread.end(new LabError('internal', 'The reader was closed.', 'This is a bug in Secateur: please report it.'));
  }
}
