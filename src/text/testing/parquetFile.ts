/** @file Parquet files made in a test. */
import { parquetWriteBuffer } from 'hyparquet-writer';

type Options = Omit<Parameters<typeof parquetWriteBuffer>[0], 'columnData'>;

/** A file with the given columns of strings (null: no value), and a column of numbers in front. */
export function parquetBytes(
  columns: Record<string, readonly (string | null)[]>,
  options: Options = {},
): Uint8Array<ArrayBuffer> {
  const rows = Object.values(columns)[0]?.length ?? 0;
  const columnData = [
    { name: 'id', data: Array.from({ length: rows }, (_, index) => index), type: 'INT32' as const },
    ...Object.entries(columns).map(([name, data]) => ({ name, data: [...data], type: 'STRING' as const })),
  ];
  return new Uint8Array(parquetWriteBuffer({ codec: 'UNCOMPRESSED', ...options, columnData }));
}
