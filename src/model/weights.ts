/** @file Where weights come from, as an interface: a checkpoint in IndexedDB, a variant's view of one, a test's arrays. */
import { bf16ToF32, f16ToF32 } from '../numerics/float16';
import type { LayerRole, ModelRole } from './shape';

/** Element types that a checkpoint may store and that the engine reads as they are. Little-endian. */
export type StoredDtype = 'F32' | 'F16' | 'BF16';

export const bytesPerElement: Readonly<Record<StoredDtype, number>> = { F32: 4, F16: 2, BF16: 2 };

/** A tensor's place: a byte range of a file of the checkpoint. */
export interface TensorRef {
  /** Hugging Face tensor name: for messages only, nothing dispatches on it outside `model/`. */
  readonly name: string;
  readonly dtype: StoredDtype;
  readonly dims: readonly number[];
  /** File of the checkpoint, e.g. 'model-00001-of-00003.safetensors'. */
  readonly file: string;
  /** First byte within the file (header included). */
  readonly begin: number;
  /** One past the last byte within the file. */
  readonly end: number;
}

/** Bytes begin … end of a tensor, counted from its first one, as a place of their own: to be read without the rest. */
export function partOfTensor(tensor: TensorRef, begin: number, end: number): TensorRef {
  return { ...tensor, begin: tensor.begin + begin, end: tensor.begin + end };
}

/** Equal for tensors that are the same bytes read in the same way: the key of all that is made from a tensor. */
export function placeOf({ file, begin, end, dtype, dims }: TensorRef): string {
  return `${file}:${begin}:${end}:${dtype}:${dims.join('x')}`;
}

/** Lazy access to a model's weights by role. `source` is `LayerShape.source`. Nothing is read until asked. */
export interface WeightSource {
  layerTensor(role: LayerRole, source: number): TensorRef;
  modelTensor(role: ModelRole): TensorRef;
  /** The stored bytes of a tensor or of a part of one, freshly copied and aligned at offset 0. */
  read(tensor: TensorRef, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>>;
  /** A whole file as a Blob (joined from stored chunks without copying): external data of an ONNX graph. */
  file(name: string, signal?: AbortSignal): Promise<Blob>;
  /**
   * The object that owns a tensor's bytes: a decorator that passes a tensor on names the owner below it. Caches of what is made
   * from a tensor hang on its owner, so that all views of a model share them. This source itself when absent.
   */
  owner?(tensor: TensorRef): object;
}

/** The object that owns a tensor's bytes, whichever view of the weights the tensor was asked from. */
export function ownerOf(weights: WeightSource, tensor: TensorRef): object {
  return weights.owner?.(tensor) ?? weights;
}

/** Stored bytes, aligned at offset 0, as numbers; a view of them for F32. */
export function toFloat32(bytes: Uint8Array<ArrayBuffer>, dtype: StoredDtype): Float32Array<ArrayBuffer> {
  const length = bytes.byteLength / bytesPerElement[dtype];
  switch (dtype) {
    case 'F32':
      return new Float32Array(bytes.buffer, bytes.byteOffset, length);
    case 'F16':
      return f16ToF32(new Uint16Array(bytes.buffer, bytes.byteOffset, length));
    case 'BF16':
      return bf16ToF32(new Uint16Array(bytes.buffer, bytes.byteOffset, length));
    default:
      return dtype satisfies never;
  }
}
