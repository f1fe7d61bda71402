/**
 * @file One column of strings of a parquet file, page by page. The library decodes a page; what a page says of itself is
 * checked before: its sizes, how many values it has, and the runs that its levels and indices are packed in, since one run
 * of five bytes can claim two billion values.
 */
import type { ColumnMetaData, RowGroup, SchemaTree } from 'hyparquet';
import { parquetHeader, readPage } from 'hyparquet/src/column.js';
import { convert, DEFAULT_PARSERS } from 'hyparquet/src/convert.js';
import { decompressPage } from 'hyparquet/src/datapage.js';
import { deltaBinaryUnpack } from 'hyparquet/src/delta.js';
import { getMaxDefinitionLevel, getTreePath } from 'hyparquet/src/schema.js';
import { compressors } from 'hyparquet-compressors';

type Decoder = Parameters<typeof readPage>[2];
type Header = ReturnType<typeof parquetHeader>;
type Values = Exclude<Parameters<typeof readPage>[3], undefined>;

/** Bytes of a page, unpacked. */
const maxPageBytes = 2 ** 28;
/** Values of a page. */
const maxPageValues = 2 ** 22;

/** What reading a column's pages needs. */
export interface Column {
  readonly decoder: Decoder;
  /** 1: a value may be missing. */
  readonly maxLevel: number;
  readonly meta: ColumnMetaData;
}

/** A column of a row group by its name at the top. Throws what is wrong with it, as an Error. */
export function columnOf(schema: SchemaTree, group: RowGroup, name: string): Column {
  const meta = group.columns.find(({ meta_data }) => meta_data?.path_in_schema[0] === name)?.meta_data;
  if (!meta) throw new Error(`a row group lacks the column '${name}'`);
  const path = meta.path_in_schema;
  const schemaPath = getTreePath(schema, path);
  const element = schemaPath.at(-1)?.element;
  const repeated = schemaPath.some(({ element: { repetition_type } }) => repetition_type === 'REPEATED');
  if (!element || path.length !== 1 || repeated || meta.type !== element.type) {
    throw new Error(`the column '${name}' of a row group differs from the schema`);
  }
  const decoder = {
    ...meta,
    pathInSchema: path,
    element,
    schemaPath,
    compressors,
    utf8: true,
    parsers: DEFAULT_PARSERS,
  } as unknown as Decoder;
  return { decoder, maxLevel: getMaxDefinitionLevel(schemaPath), meta };
}

/** Reads pages that follow each other in some bytes of the file; the dictionary stays for the next ones. */
export class PageReader {
  readonly #column: Column;
  #dictionary: Values | undefined;

  constructor(column: Column) {
    this.#column = column;
  }

  /** The values of each page in order; null where one is missing. */
  *pages(bytes: ArrayBuffer, rows: number): Generator<ArrayLike<unknown>, void, undefined> {
    const reader = { view: new DataView(bytes), offset: 0 };
    for (let left = rows; left > 0 && reader.offset < bytes.byteLength; ) {
      const header = parquetHeader(reader);
      const packed = this.#bytesOf(reader, header);
      if (header.type === 'DICTIONARY_PAGE') this.#readDictionary(header, packed);
      else if (header.type === 'DATA_PAGE' || header.type === 'DATA_PAGE_V2') {
        const values = this.#readData(header, packed);
        if (values.length > left) throw new Error(`a page has ${values.length} values, but ${left} rows remain`);
        left -= values.length;
        yield values;
      } else if (header.type !== 'INDEX_PAGE') throw new Error(`a page of the unknown kind ${header.type}`);
    }
  }

  #bytesOf(reader: { view: DataView<ArrayBuffer>; offset: number }, header: Header): Uint8Array<ArrayBuffer> {
    const { compressed_page_size: packed, uncompressed_page_size: unpacked } = header;
    const left = reader.view.byteLength - reader.offset;
    if (!isCount(packed, left) || !isCount(unpacked, maxPageBytes)) {
      throw new Error(`a page of ${packed} bytes, unpacked ${unpacked}, where ${left} are left`);
    }
    const bytes = new Uint8Array(reader.view.buffer, reader.offset, packed);
    reader.offset += packed;
    return bytes;
  }

  #readDictionary(header: Header, packed: Uint8Array<ArrayBuffer>): void {
    checkValues(header.dictionary_page_header?.num_values);
    const { decoder } = this.#column;
    const bytes = unpack(packed, header.uncompressed_page_size, decoder);
    const { data } = this.#page(header, bytes);
    this.#dictionary = data && convert(data, decoder);
  }

  #readData(header: Header, packed: Uint8Array<ArrayBuffer>): ArrayLike<unknown> {
    const { decoder, maxLevel } = this.#column;
    const first = header.data_page_header;
    const second = header.data_page_header_v2;
    const values = checkValues(first?.num_values ?? second?.num_values);
    let bytes = packed;
    let at = 0;
    /** Values that are there. */
    let present = values;
    let encoding = first?.encoding;
    let changed = header;
    if (second) {
      const { definition_levels_byte_length: levels, repetition_levels_byte_length: repeats, num_nulls } = second;
      if (
        !isCount(levels, packed.length) ||
        repeats !== 0 ||
        !isCount(num_nulls, values) ||
        second.num_rows !== values
      ) {
        throw new Error(
          `a page with levels of ${levels} and ${repeats} bytes, ${num_nulls} of ${values} values missing`,
        );
      }
      const rest = packed.subarray(levels);
      const unpacked =
        second.is_compressed === false ? rest : unpack(rest, header.uncompressed_page_size - levels, decoder);
      bytes = joined(packed.subarray(0, levels), unpacked);
      changed = {
        ...header,
        uncompressed_page_size: bytes.length,
        data_page_header_v2: { ...second, is_compressed: false },
      };
      if (maxLevel > 0) present = checkRuns(bytes, 0, levels, 1, values);
      if (present !== values - num_nulls)
        throw new Error(`a page that counts ${num_nulls} of ${values} values missing`);
      at = levels;
      encoding = second.encoding;
    } else {
      bytes = unpack(packed, header.uncompressed_page_size, decoder);
      if (maxLevel > 0) {
        if (bytes.length < 4) throw new Error('a page without its levels');
        const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
        if (!isCount(length, bytes.length - 4)) throw new Error(`a page with levels of ${length} bytes`);
        present = checkRuns(bytes, 4, 4 + length, 1, values);
        at = 4 + length;
      }
    }
    if (encoding === 'PLAIN_DICTIONARY' || encoding === 'RLE_DICTIONARY') {
      const width = bytes[at];
      if (!this.#dictionary) throw new Error('a page of a dictionary that is not there');
      if (width === undefined || width > 31) throw new Error(`indices of ${width} bits`);
      if (width > 0) checkRuns(bytes, at + 1, bytes.length, width, present);
    } else if (encoding === 'DELTA_BYTE_ARRAY') checkPrefixes(bytes, at, present);
    const { data } = this.#page(changed, bytes);
    if (!data || data.length !== values) throw new Error(`a page of ${values} values gave ${data?.length ?? 0}`);
    return data;
  }

  /** Has the library decode a page that is unpacked already. */
  #page(header: Header, bytes: Uint8Array<ArrayBuffer>): ReturnType<typeof readPage> {
    const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length), offset: 0 };
    const { decoder } = this.#column;
    const plain = { ...header, compressed_page_size: bytes.length };
    return readPage(reader, plain, { ...decoder, codec: 'UNCOMPRESSED' }, this.#dictionary, undefined, 0);
  }
}

function isCount(value: unknown, most: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= most;
}

function checkValues(values: unknown): number {
  if (isCount(values, maxPageValues)) return values;
  throw new Error(`a page of ${values} values, expected at most ${maxPageValues}`);
}

function unpack(bytes: Uint8Array<ArrayBuffer>, length: number, { codec }: Decoder): Uint8Array<ArrayBuffer> {
  if (!isCount(length, maxPageBytes)) throw new Error(`a page of ${length} bytes`);
  // Nothing packs to nothing: some codecs write no bytes at all then.
  if (length === 0) return new Uint8Array();
  return decompressPage(bytes, length, codec, compressors) as Uint8Array<ArrayBuffer>;
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}

/**
 * Runs of repeated and of packed values in [begin, end) must give `values` values, with less than a group of eight to spare.
 * @param width bits of a value
 * @returns of values of one bit, how many are 1
 */
function checkRuns(bytes: Uint8Array, begin: number, end: number, width: number, values: number): number {
  let at = begin;
  let ones = 0;
  for (let left = values; left > 0; ) {
    let header = 0;
    let more = true;
    for (let shift = 0; more; shift += 7) {
      const byte = bytes[at];
      if (byte === undefined || at >= end || shift > 28) throw new Error('runs end too early');
      header += (byte & 0x7f) * 2 ** shift;
      more = byte >= 0x80;
      at += 1;
    }
    const packed = header % 2 === 1;
    const count = packed ? Math.floor(header / 2) * 8 : header / 2;
    if (count === 0 || count > left + 7) throw new Error(`a run of ${count} values where ${left} are left`);
    if (width === 1)
      ones += packed ? onesOf(bytes, at, Math.min(count, left)) : ((bytes[at] ?? 0) & 1) * Math.min(count, left);
    at += packed ? (count * width) / 8 : (width + 7) >> 3;
    left -= count;
  }
  return ones;
}

/** How many of `count` bits from a byte on are 1, the lowest bit of a byte first. */
function onesOf(bytes: Uint8Array, at: number, count: number): number {
  let ones = 0;
  for (let bit = 0; bit < count; bit += 1) ones += ((bytes[at + (bit >> 3)] ?? 0) >> (bit & 7)) & 1;
  return ones;
}

/** Texts that repeat what begins the one before: together they must fit a page. */
function checkPrefixes(bytes: Uint8Array, begin: number, values: number): void {
  const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length), offset: begin };
  let total = 0;
  for (let part = 0; part < 2; part += 1) {
    const lengths = new Int32Array(values);
    deltaBinaryUnpack(reader, values, lengths);
    for (const length of lengths) {
      if (length < 0) throw new Error(`a text of ${length} bytes`);
      total += length;
    }
  }
  if (total > maxPageBytes) throw new Error(`a page of ${total} bytes of text, expected at most ${maxPageBytes}`);
}
