/**
 * @file The safetensors format: u64 header length N, N bytes of JSON, then the tensors' bytes.
 *
 * Strict, since a header that lies about its ranges would let one tensor read another's bytes: sorted by offset the
 * ranges must cover the data without hole or overlap, and each must be as long as its dims say.
 */
import * as v from 'valibot';
import { LabError } from '../../errors';
import { record } from '../../model/configFields';
import type { FileTensor } from '../../model/tensors';

/** Bytes in front of the JSON: its length as a little-endian u64. */
export const prefixBytes = 8;
/** The format's own bound on the JSON. */
export const maxHeaderBytes = 100_000_000;

/** Twice the number in all files of the largest models; the header is parsed in one go. */
export const maxTensors = 200_000;

/** A file's header, checked. */
export interface SafetensorsHeader {
  readonly tensors: readonly FileTensor[];
  readonly metadata: Readonly<Record<string, string>>;
  /** Size that the whole file must have: prefix, JSON and data. */
  readonly fileBytes: number;
}

/** A tensor to write; `data` holds exactly its little-endian elements. */
export interface TensorToWrite {
  readonly name: string;
  readonly dtype: string;
  readonly dims: readonly number[];
  readonly data: Uint8Array<ArrayBuffer> | Blob;
}

const dtypeBits: Readonly<Record<string, number>> = {
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  BOOL: 8,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  I64: 64,
  U64: 64,
  F64: 64,
  C64: 64,
};

const offset = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const entrySchema = v.object({
  dtype: v.pipe(v.string(), v.maxLength(32)),
  shape: v.pipe(v.array(offset), v.maxLength(64)),
  data_offsets: v.strictTuple([offset, offset]),
});

/** Length N of the JSON from a file's first 8 bytes; `fileBytes` is null while the size is unknown. Throws 'bad-safetensors'. */
export function headerLength(prefix: Uint8Array, fileBytes: number | null, file: string): number {
  if (prefix.length < prefixBytes) {
    throw bad(file, `expected at least ${prefixBytes} bytes, got ${prefix.length}: the file is cut off`);
  }
  const length = new DataView(prefix.buffer, prefix.byteOffset).getBigUint64(0, true);
  if (length > BigInt(maxHeaderBytes)) throw bad(file, `header of ${length} bytes, expected at most ${maxHeaderBytes}`);
  if (fileBytes !== null && length > BigInt(fileBytes - prefixBytes)) {
    throw bad(file, `header of ${length} bytes, but the whole file has ${fileBytes}`);
  }
  return Number(length);
}

/** Checks a header's JSON bytes; `fileBytes` is null while the size is unknown. Throws 'bad-safetensors'. */
export function parseHeader(json: Uint8Array, fileBytes: number | null, file: string): SafetensorsHeader {
  const entries = headerEntries(json, file);
  if (entries.length > maxTensors) throw bad(file, `the header names ${entries.length} tensors, at most ${maxTensors}`);
  const dataStart = prefixBytes + json.length;
  const tensors: FileTensor[] = [];
  let metadata: Record<string, string> = {};
  for (const [name, value] of entries) {
    // some tools write null if there is no metadata; the format's own parser takes it.
    if (name === '__metadata__' && value === null) continue;
    if (name === '__metadata__') {
      metadata = metadataOf(value, file);
    } else {
      tensors.push(parseEntry(name, value, dataStart, file));
    }
  }
  tensors.sort((a, b) => a.begin - b.begin || a.end - b.end);
  const end = checkContiguous(tensors, dataStart, file);
  if (fileBytes !== null && fileBytes !== end) {
    throw bad(file, `the header describes a file of ${end} bytes, got ${fileBytes}`);
  }
  return { tensors, metadata, fileBytes: end };
}

/**
 * A safetensors file as the parts of a Blob, no byte copied. Wider elements go first and the JSON is padded to 8,
 * so that every tensor starts aligned. Throws 'bad-argument'.
 */
export function safetensorsParts(
  tensors: readonly TensorToWrite[],
  metadata: Readonly<Record<string, string>> = {},
): BlobPart[] {
  const sorted = [...tensors].sort((a, b) => (dtypeBits[b.dtype] ?? 0) - (dtypeBits[a.dtype] ?? 0));
  const header: [string, unknown][] = Object.keys(metadata).length > 0 ? [['__metadata__', metadata]] : [];
  const names = new Set(['__metadata__']);
  let position = 0;
  for (const { name, dtype, dims, data } of sorted) {
    const size = data instanceof Blob ? data.size : data.byteLength;
    const expected = tensorBytes(dtype, dims);
    if (names.has(name) || expected !== size) {
      const what = names.has(name) ? `the name ${name} twice` : `${name} with ${size} bytes, expected ${expected}`;
      throw new LabError(
        'bad-argument',
        `Writing safetensors: ${what}.`,
        'Write each tensor once, with all its bytes.',
      );
    }
    names.add(name);
    header.push([name, { dtype, shape: dims, data_offsets: [position, position + size] }]);
    position += size;
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const padded = new Uint8Array(prefixBytes + Math.ceil(json.length / 8) * 8).fill(0x20);
  new DataView(padded.buffer).setBigUint64(0, BigInt(padded.length - prefixBytes), true);
  padded.set(json, prefixBytes);
  return [padded, ...sorted.map(({ data }) => data)];
}

function headerEntries(json: Uint8Array, file: string): [string, unknown][] {
  if (json[0] !== 0x7b) throw bad(file, "the header does not start with '{'");
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json));
  } catch (cause) {
    throw bad(
      file,
      `the header is not JSON (${(cause instanceof Error ? cause.message : String(cause)).slice(0, 200)})`,
    );
  }
  const entries = Object.entries(parsed as object);
  // Half a surrogate pair is no character: the format's own parser refuses it, and two such names would look alike.
  const half = entries.find(([name]) => /\p{Surrogate}/u.test(name));
  if (half) throw bad(file, 'a tensor name contains an incomplete character');
  return entries;
}

/** A record of strings, whatever their names. */
function metadataOf(value: unknown, file: string): Record<string, string> {
  const entries = Object.entries(record(value) ?? { '': null });
  const strings = entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  if (strings.length < entries.length) throw bad(file, '__metadata__: expected an object of strings');
  return Object.fromEntries(strings);
}

function parseEntry(name: string, value: unknown, dataStart: number, file: string): FileTensor {
  const parsed = v.safeParse(entrySchema, value);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    throw bad(
      file,
      `tensor ${quote(name)}: ${v.getDotPath(issue) ?? 'entry'} is malformed (${issue.message.slice(0, 120)})`,
    );
  }
  const { dtype, shape, data_offsets: offsets } = parsed.output;
  const [begin, end] = offsets;
  if (!Object.hasOwn(dtypeBits, dtype)) throw bad(file, `tensor ${quote(name)}: unknown dtype ${quote(dtype)}`);
  const expected = tensorBytes(dtype, shape);
  if (end - begin !== expected) {
    const range = `range ${begin}…${end} has ${end - begin} bytes`;
    throw bad(
      file,
      `tensor ${quote(name)}: ${range}, but ${dtype} [${shape.join(', ')}] needs ${expected ?? 'too many'}`,
    );
  }
  return { name, dtype, dims: shape, file, begin: dataStart + begin, end: dataStart + end };
}

/** Bytes of a tensor, or null when they overflow or do not fill whole bytes. */
function tensorBytes(dtype: string, dims: readonly number[]): number | null {
  let elements = 1;
  for (const dim of dims) {
    elements *= dim;
    if (!Number.isSafeInteger(elements)) return null;
  }
  const bits = elements * (dtypeBits[dtype] ?? Number.NaN);
  return Number.isSafeInteger(bits) && bits % 8 === 0 ? bits / 8 : null;
}

/** End of the last range. Tensors come sorted by their begin. */
function checkContiguous(tensors: readonly FileTensor[], dataStart: number, file: string): number {
  let end = dataStart;
  for (const tensor of tensors) {
    if (tensor.begin !== end) {
      const kind = tensor.begin < end ? 'overlaps the previous tensor' : 'leaves a gap before it';
      const got = tensor.begin - dataStart;
      throw bad(file, `tensor ${quote(tensor.name)} ${kind}: expected to start at ${end - dataStart}, got ${got}`);
    }
    end = tensor.end;
  }
  return end;
}

function quote(text: string): string {
  return `'${text.length > 80 ? `${text.slice(0, 80)}…` : text}'`;
}

function bad(file: string, what: string): LabError {
  return new LabError(
    'bad-safetensors',
    `${file}: ${what}.`,
    'The file is damaged or not a safetensors file: download it again.',
  );
}
