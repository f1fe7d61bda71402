/** @file The same weights as float32, for training: a place of its own for every tensor, values made when they are read. Exact. */
import type { ModelShape } from '../model/shape';
import { bytesPerElement, partOfTensor, placeOf, type TensorRef, toFloat32, type WeightSource } from '../model/weights';
import { tensorsOf } from './tensorsOf';

/**
 * @param file a name that no other view's file has, so that no other view shares the tensors
 */
export function inFloat32(shape: ModelShape, weights: WeightSource, file: string): WeightSource {
  const stored = new Map<number, TensorRef>();
  const places = new Map<string, TensorRef>();
  let end = 0;
  for (const ref of tensorsOf(shape, weights)) {
    const begin = end;
    end = begin + 4 * ((ref.end - ref.begin) / bytesPerElement[ref.dtype]);
    places.set(placeOf(ref), { ...ref, dtype: 'F32', file, begin, end });
    stored.set(begin, ref);
  }
  const begins = [...stored.keys()];
  const place = (ref: TensorRef): TensorRef => places.get(placeOf(ref)) ?? ref;
  /** The tensor that a part lies in, and where that begins. */
  function holder({ begin }: TensorRef): [number, TensorRef] {
    const first = begins.findLast((each) => each <= begin) ?? 0;
    return [first, stored.get(first)!];
  }
  const source: WeightSource = {
    layerTensor: (role, layer) => place(weights.layerTensor(role, layer)),
    modelTensor: (role) => place(weights.modelTensor(role)),
    owner: () => source,
    async read(ref, signal) {
      if (ref.file !== file) return weights.read(ref, signal);
      const [first, tensor] = holder(ref);
      const width = bytesPerElement[tensor.dtype] / 4;
      const part = partOfTensor(tensor, (ref.begin - first) * width, (ref.end - first) * width);
      const values = toFloat32(await weights.read(part, signal), tensor.dtype);
      return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    },
    async file(name, signal) {
      if (name !== file) return weights.file(name, signal);
      throw new RangeError('float32 weights are read tensor by tensor');
    },
  };
  return source;
}
