/** @file What the thread of a parquet file can do: read its text columns, from bytes that it asks for. */
import { DocumentCollector, type Room } from '../documents';
import type { ThreadMethods, ThreadTask } from '../thread';
import { columnNames, readColumnInto } from './parquetRead';

export interface ParquetFound {
  readonly texts: readonly string[];
  /** Rows without text. */
  readonly skipped: number;
  /** The file goes on. */
  readonly full: boolean;
}

export const parquetMethods: ThreadMethods = {
  async read(
    { heard, ask }: ThreadTask,
    { name, size }: { name: string; size: number },
    column: string | undefined,
    room: Room,
    nullsAsEmpty: boolean,
  ): Promise<ParquetFound> {
    const collector = new DocumentCollector(name, room);
    const slice = async (begin: number, end: number): Promise<ArrayBuffer> => (await ask(begin, end)) as ArrayBuffer;
    await readColumnInto({ name, size, slice }, collector, {
      ...{ column, nullsAsEmpty },
      onProgress: ({ done, total }) => heard(done, total),
    });
    return collector.found();
  },
  async columns({ ask }: ThreadTask, { name, size }: { name: string; size: number }): Promise<readonly string[]> {
    return columnNames({ name, size, slice: async (begin, end) => (await ask(begin, end)) as ArrayBuffer });
  },
};
