/** @file For tests: the tiny model's weights out of one safetensors file, with a count of the bytes that were read. */
import { parseConfig } from '../../model/config';
import type { ModelShape } from '../../model/shape';
import { indexTensors } from '../../model/tensors';
import type { StoredDtype, TensorRef, WeightSource } from '../../model/weights';
import { f32ToBf16, f32ToF16 } from '../../numerics/float16';
import { headerLength, parseHeader, safetensorsParts, type TensorToWrite } from '../../shards/formats/safetensors';
import { tinyConfig, tinyTensors } from '../../shards/testing/tinyModel';

export interface TinySource {
  readonly shape: ModelShape;
  readonly weights: WeightSource;
  /** All reads so far: of each call the file and the number of bytes. */
  readonly reads: { readonly file: string; readonly bytes: number }[];
}

/** Values as stored bytes. */
export function encode(values: readonly number[], dtype: StoredDtype): Uint8Array<ArrayBuffer> {
  const floats = Float32Array.from(values);
  if (dtype === 'F32') return new Uint8Array(floats.buffer);
  return new Uint8Array((dtype === 'F16' ? f32ToF16(floats) : f32ToBf16(floats)).buffer);
}

/** The tiny model's tensors, in a type of 16 bits where one is asked for. */
export function tinyTensorsAs(dtype: StoredDtype, config: object = tinyConfig): TensorToWrite[] {
  return tinyTensors(config).map((tensor) => {
    const { buffer } = tensor.data as Uint8Array<ArrayBuffer>;
    return { ...tensor, dtype, data: encode([...new Float32Array(buffer)], dtype) };
  });
}

/** A model of these tensors. */
export async function tinySource(tensors = tinyTensors(), config: object = tinyConfig): Promise<TinySource> {
  const { shape } = parseConfig(config);
  const blob = new Blob(safetensorsParts(tensors));
  const bytes = new Uint8Array(await blob.arrayBuffer());
  const file = 'model.safetensors';
  const header = parseHeader(
    bytes.subarray(8, 8 + headerLength(bytes.subarray(0, 8), blob.size, file)),
    blob.size,
    file,
  );
  const { layerTensor, modelTensor } = indexTensors(shape, header.tensors);
  const reads: { file: string; bytes: number }[] = [];
  const weights: WeightSource = {
    layerTensor,
    modelTensor,
    async read({ begin, end }: TensorRef) {
      reads.push({ file, bytes: end - begin });
      return bytes.slice(begin, end);
    },
    file: async () => blob,
  };
  return { shape, weights, reads };
}

/** A safetensors file. */
export const fileOf = (...tensors: TensorToWrite[]): Blob => new Blob(safetensorsParts(tensors));
