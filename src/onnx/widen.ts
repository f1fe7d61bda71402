/** @file BF16 for a runtime that cannot read it: the same weights as F32 in one more file. Exact: u16 << 16. */

import { throwIfAborted } from '../errors';
import { layerRoles, type ModelShape, modelRoles } from '../model/shape';
import type { TensorRef, WeightSource } from '../model/weights';

/** Name of the file that holds the widened tensors. */
export const widenedFile = 'widened.bin';

/** Little-endian BF16 bytes as F32 bytes, twice as many. */
export function widenBytes(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const float16 = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2);
  const wide = new Uint32Array(float16.length);
  for (let i = 0; i < float16.length; i++) wide[i] = float16[i]! << 16;
  return new Uint8Array(wide.buffer);
}

/** Every tensor that a shape uses, each stored range once. */
export function tensorsOf(shape: ModelShape, weights: WeightSource): TensorRef[] {
  const all = [
    ...modelRoles(shape).map((role) => weights.modelTensor(role)),
    ...shape.layers.flatMap((layer) => layerRoles(layer).map((role) => weights.layerTensor(role, layer.source))),
  ];
  return [...new Map(all.map((ref) => [keyOf(ref), ref])).values()];
}

/** A source whose widened file can be cancelled while it is built. */
export interface WidenedSource extends WeightSource {
  file(name: string, signal?: AbortSignal): Promise<Blob>;
}

const keyOf = (ref: TensorRef) => `${ref.file}:${ref.begin}`;

/** Widened tensors by place, as long as their source lives: the variants of a model share them. */
const widened = new WeakMap<WeightSource, Map<string, Blob>>();

async function widenTensor(weights: WeightSource, ref: TensorRef, signal: AbortSignal | undefined): Promise<Blob> {
  const known = widened.get(weights) ?? new Map<string, Blob>();
  widened.set(weights, known);
  // A Blob each: the browser may move it out of the heap while the next tensor is read.
  const blob = known.get(keyOf(ref)) ?? new Blob([widenBytes(await weights.read(ref, signal))]);
  known.set(keyOf(ref), blob);
  return blob;
}

/**
 * The weights with every BF16 tensor of `shape` as F32 in `widenedFile`, which is built when it is asked for.
 * Without a BF16 tensor this is the source itself.
 */
export function widenBf16(shape: ModelShape, weights: WeightSource): WidenedSource {
  const narrow = tensorsOf(shape, weights).filter((ref) => ref.dtype === 'BF16');
  if (narrow.length === 0) return weights;
  const wide = new Map<string, TensorRef>();
  let end = 0;
  for (const ref of narrow) {
    const begin = end;
    end = begin + 2 * (ref.end - ref.begin);
    wide.set(keyOf(ref), { ...ref, dtype: 'F32', file: widenedFile, begin, end });
  }
  async function file(name: string, signal?: AbortSignal): Promise<Blob> {
    if (name !== widenedFile) return weights.file(name);
    const parts: Blob[] = [];
    for (const ref of narrow) {
      throwIfAborted(signal, 'Widening BF16 weights');
      parts.push(await widenTensor(weights, ref, signal));
    }
    return new Blob(parts);
  }
  const translate = (ref: TensorRef) => wide.get(keyOf(ref)) ?? ref;
  return {
    layerTensor: (role, source) => translate(weights.layerTensor(role, source)),
    modelTensor: (role) => translate(weights.modelTensor(role)),
    file,
    async read(ref, signal) {
      if (ref.file !== widenedFile) return weights.read(ref, signal);
      const blob = await file(widenedFile, signal);
      return new Uint8Array(await blob.slice(ref.begin, ref.end).arrayBuffer());
    },
  };
}
