/** @file BF16 for a runtime that cannot read it: the same weights as F32 in one more file. Exact: u16 << 16. */
import { throwIfAborted } from '../errors';
import type { ModelShape } from '../model/shape';
import { ownerOf, placeOf, type TensorRef, type WeightSource } from '../model/weights';
import { OwnerCache } from './ownerCache';
import { tensorsOf } from './tensorsOf';

/** Name of the file that holds the widened tensors. */
export const widenedFile = 'widened.bin';

/** Little-endian BF16 bytes as F32 bytes, twice as many. */
export function widenBytes(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const bits = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2);
  const wide = new Uint32Array(bits.length);
  for (let i = 0; i < bits.length; i++) wide[i] = bits[i]! << 16;
  return new Uint8Array(wide.buffer);
}

/** Widened tensors: the variants of a model share them. */
const made = new OwnerCache<Blob>();

async function widenTensor(weights: WeightSource, ref: TensorRef, signal: AbortSignal | undefined): Promise<Blob> {
  // A Blob each: the browser may move it out of the heap while the next tensor is read.
  return made.get(weights, ref) ?? made.set(weights, ref, new Blob([widenBytes(await weights.read(ref, signal))]));
}

/**
 * The weights with every BF16 tensor of `shape` as F32 in `widenedFile`, which is built when it is asked for.
 * Without a BF16 tensor this is the source itself.
 */
export function widened(shape: ModelShape, weights: WeightSource): WeightSource {
  const narrow = tensorsOf(shape, weights).filter((ref) => ref.dtype === 'BF16');
  if (narrow.length === 0) return weights;
  const places = new Map<string, TensorRef>();
  let end = 0;
  for (const ref of narrow) {
    const begin = end;
    end = begin + 2 * (ref.end - ref.begin);
    places.set(placeOf(ref), { ...ref, dtype: 'F32', file: widenedFile, begin, end });
  }
  async function file(name: string, signal?: AbortSignal): Promise<Blob> {
    if (name !== widenedFile) return weights.file(name, signal);
    const parts: Blob[] = [];
    for (const ref of narrow) {
      throwIfAborted(signal, 'Widening BF16 weights');
      parts.push(await widenTensor(weights, ref, signal));
    }
    return new Blob(parts);
  }
  const place = (ref: TensorRef): TensorRef => places.get(placeOf(ref)) ?? ref;
  const source: WeightSource = {
    layerTensor: (role, layer) => place(weights.layerTensor(role, layer)),
    modelTensor: (role) => place(weights.modelTensor(role)),
    owner: (ref) => (ref.file === widenedFile ? source : ownerOf(weights, ref)),
    file,
    async read(ref, signal) {
      if (ref.file !== widenedFile) return weights.read(ref, signal);
      const blob = await file(widenedFile, signal);
      return new Uint8Array(await blob.slice(ref.begin, ref.end).arrayBuffer());
    },
  };
  return source;
}
