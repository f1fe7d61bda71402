/**
 * @file Packs the weights that a shape uses into one file, for downloaded graphs. Nothing is copied: the file is a Blob
 * of slices of the stored ones, read when it is saved.
 */
import type { ModelShape } from '../model/shape';
import { ownerOf, placeOf, type TensorRef, type WeightSource } from '../model/weights';
import { tensorsOf } from './tensorsOf';

/** Runtimes that map the file into memory want tensors at page bounds. */
const alignment = 4096;

/** The source with every tensor of the shape at a place of its own in the file `name`. */
export function packed(shape: ModelShape, weights: WeightSource, name: string): WeightSource {
  const places = new Map<string, TensorRef>();
  const used = tensorsOf(shape, weights);
  let end = 0;
  for (const ref of used) {
    const begin = Math.ceil(end / alignment) * alignment;
    end = begin + ref.end - ref.begin;
    places.set(placeOf(ref), { ...ref, file: name, begin, end });
  }
  const place = (ref: TensorRef): TensorRef => places.get(placeOf(ref)) ?? ref;
  async function file(asked: string, signal?: AbortSignal): Promise<Blob> {
    if (asked !== name) return weights.file(asked, signal);
    const files = new Map<string, Blob>();
    const parts: (Blob | Uint8Array<ArrayBuffer>)[] = [];
    let at = 0;
    for (const ref of used) {
      const { begin, end: last } = place(ref);
      if (begin > at) parts.push(new Uint8Array(begin - at));
      const from = files.get(ref.file) ?? (await weights.file(ref.file, signal));
      files.set(ref.file, from);
      parts.push(from.slice(ref.begin, ref.end));
      at = last;
    }
    return new Blob(parts);
  }
  const source: WeightSource = {
    layerTensor: (role, layer) => place(weights.layerTensor(role, layer)),
    modelTensor: (role) => place(weights.modelTensor(role)),
    owner: (ref) => (ref.file === name ? source : ownerOf(weights, ref)),
    file,
    async read(ref, signal) {
      if (ref.file !== name) return weights.read(ref, signal);
      return new Uint8Array(await (await file(name, signal)).slice(ref.begin, ref.end).arrayBuffer());
    },
  };
  return source;
}
