/**
 * @file The header of a GGUF v3 file, little-endian: magic, version, counts, key-value pairs, and for each tensor its name, sizes,
 * type and place. The data of the tensors follow, each at a multiple of 32 bytes. Format: ggml's docs/gguf.md.
 */

/** Multiple of bytes at which the data section and every tensor begin. */
export const ggufAlignment = 32;

/** Numbers of GGUF's value types. */
const valueTypes = { u32: 4, i32: 5, f32: 6, bool: 7, string: 8, array: 9 } as const;

/** A value of the header. Lists hold values of one type. */
export type GgufValue =
  | { readonly type: 'u32' | 'f32'; readonly value: number }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'u32s' | 'i32s' | 'f32s'; readonly value: ArrayLike<number> }
  | { readonly type: 'strings'; readonly value: readonly string[] };

/** Pairs in the order of the file; no key comes twice. */
export type GgufPairs = readonly (readonly [key: string, value: GgufValue])[];

export const u32 = (value: number): GgufValue => ({ type: 'u32', value });
export const f32 = (value: number): GgufValue => ({ type: 'f32', value });
export const bool = (value: boolean): GgufValue => ({ type: 'bool', value });
export const string = (value: string): GgufValue => ({ type: 'string', value });
export const u32s = (value: ArrayLike<number>): GgufValue => ({ type: 'u32s', value });
export const i32s = (value: ArrayLike<number>): GgufValue => ({ type: 'i32s', value });
export const f32s = (value: ArrayLike<number>): GgufValue => ({ type: 'f32s', value });
export const strings = (value: readonly string[]): GgufValue => ({ type: 'strings', value });

/** Types of tensors that we write, by ggml's numbers. */
export const tensorTypes = { F32: 0, F16: 1, Q8_0: 8 } as const;
export type TensorType = keyof typeof tensorTypes;

/** Weights of one block of Q8_0: they share one f16 scale. */
export const blockWeights = 32;
/** Bytes of one block of Q8_0: the scale and 32 signed bytes. */
export const blockBytes = 34;

/** Bytes of so many elements, whole blocks of them for Q8_0. */
export function bytesOf(elements: number, type: TensorType): number {
  if (type === 'Q8_0') return (elements / blockWeights) * blockBytes;
  return elements * (type === 'F32' ? 4 : 2);
}

/** A tensor as the header announces it. */
export interface TensorInfo {
  readonly name: string;
  /** As in the checkpoint: rows first. The file lists them the other way round. */
  readonly dims: readonly number[];
  readonly type: TensorType;
}

export const elementsOf = ({ dims }: Pick<TensorInfo, 'dims'>): number =>
  dims.reduce((product, dim) => product * dim, 1);

export const aligned = (bytes: number): number => Math.ceil(bytes / ggufAlignment) * ggufAlignment;

/** The header with the padding behind it: as many bytes as stand before the first tensor. */
export function header(pairs: GgufPairs, tensors: readonly TensorInfo[]): Uint8Array<ArrayBuffer> {
  const out = new ByteWriter();
  out.bytes(new TextEncoder().encode('GGUF'));
  out.u32(3);
  out.u64(tensors.length);
  out.u64(pairs.length);
  for (const [key, value] of pairs) {
    out.string(key);
    writeValue(out, value);
  }
  let offset = 0;
  for (const tensor of tensors) {
    out.string(tensor.name);
    out.u32(tensor.dims.length);
    for (const dim of tensor.dims.toReversed()) out.u64(dim);
    out.u32(tensorTypes[tensor.type]);
    out.u64(offset);
    offset += aligned(bytesOf(elementsOf(tensor), tensor.type));
  }
  return out.done(aligned(out.length));
}

function writeValue(out: ByteWriter, { type, value }: GgufValue): void {
  switch (type) {
    case 'u32':
    case 'f32':
      out.u32(valueTypes[type]);
      out[type](value);
      break;
    case 'bool':
      out.u32(valueTypes.bool);
      out.bytes(Uint8Array.of(value ? 1 : 0));
      break;
    case 'string':
      out.u32(valueTypes.string);
      out.string(value);
      break;
    case 'strings':
      writeList(out, valueTypes.string, value.length);
      for (const each of value) out.string(each);
      break;
    case 'u32s':
      writeList(out, valueTypes.u32, value.length);
      out.bytes(new Uint8Array(Uint32Array.from(value).buffer));
      break;
    case 'i32s':
      writeList(out, valueTypes.i32, value.length);
      out.bytes(new Uint8Array(Int32Array.from(value).buffer));
      break;
    case 'f32s':
      writeList(out, valueTypes.f32, value.length);
      out.bytes(new Uint8Array(Float32Array.from(value).buffer));
      break;
    default:
      value satisfies never;
  }
}

function writeList(out: ByteWriter, type: number, length: number): void {
  out.u32(valueTypes.array);
  out.u32(type);
  out.u64(length);
}

/** Bytes that grow at their end. */
class ByteWriter {
  #bytes = new Uint8Array(2 ** 16);
  #view = new DataView(this.#bytes.buffer);
  readonly #encoder = new TextEncoder();
  length = 0;

  bytes(more: Uint8Array): void {
    this.#bytes.set(more, this.#grow(more.byteLength));
  }

  u32(value: number): void {
    this.#view.setUint32(this.#grow(4), value, true);
  }

  f32(value: number): void {
    this.#view.setFloat32(this.#grow(4), value, true);
  }

  u64(value: number): void {
    this.#view.setBigUint64(this.#grow(8), BigInt(value), true);
  }

  string(value: string): void {
    const encoded = this.#encoder.encode(value);
    this.u64(encoded.byteLength);
    this.bytes(encoded);
  }

  /** The first `length` bytes; those that were not written are 0. */
  done(length: number): Uint8Array<ArrayBuffer> {
    if (length > this.length) this.#grow(length - this.length);
    return this.#bytes.slice(0, length);
  }

  /** Where the next `more` bytes begin. */
  #grow(more: number): number {
    const at = this.length;
    this.length += more;
    if (this.length > this.#bytes.byteLength) {
      const larger = new Uint8Array(2 * this.length);
      larger.set(this.#bytes.subarray(0, at));
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }
}
