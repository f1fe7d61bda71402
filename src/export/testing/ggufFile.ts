/** @file For tests: reads a GGUF v3 file by the format's description, apart from our writer. */

export interface ReadTensor {
  readonly name: string;
  /** As in the file: the length of a row comes first. */
  readonly dims: readonly number[];
  readonly type: number;
  /** First byte within the file. */
  readonly begin: number;
}

export interface ReadFile {
  readonly version: number;
  readonly pairs: ReadonlyMap<string, unknown>;
  readonly tensors: ReadonlyMap<string, ReadTensor>;
}

/** Throws where the file is no GGUF file. */
export function readGguf(bytes: Uint8Array<ArrayBuffer>): ReadFile {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const next = (size: number): number => {
    at += size;
    return at - size;
  };
  const u32 = (): number => view.getUint32(next(4), true);
  const u64 = (): number => Number(view.getBigUint64(next(8), true));
  const text = (): string => {
    const length = u64();
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(next(length), at));
  };
  const value = (type: number): unknown => {
    switch (type) {
      case 4:
        return u32();
      case 5:
        return view.getInt32(next(4), true);
      case 6:
        return view.getFloat32(next(4), true);
      case 7:
        return view.getUint8(next(1)) === 1;
      case 8:
        return text();
      case 9: {
        const inner = u32();
        return Array.from({ length: u64() }, () => value(inner));
      }
      default:
        throw new Error(`value type ${type} at ${at}`);
    }
  };
  if (new TextDecoder().decode(bytes.subarray(next(4), at)) !== 'GGUF') throw new Error('no GGUF file');
  const version = u32();
  const [tensorCount, pairCount] = [u64(), u64()];
  const pairs = new Map<string, unknown>();
  for (let i = 0; i < pairCount; i += 1) {
    const key = text();
    if (pairs.has(key)) throw new Error(`${key} comes twice`);
    pairs.set(key, value(u32()));
  }
  const infos = Array.from({ length: tensorCount }, () => {
    const name = text();
    const dims = Array.from({ length: u32() }, u64);
    return { name, dims, type: u32(), offset: u64() };
  });
  const data = Math.ceil(at / 32) * 32;
  const tensors = infos.map(({ offset, ...info }) => [info.name, { ...info, begin: data + offset }] as const);
  return { version, pairs, tensors: new Map(tensors) };
}
