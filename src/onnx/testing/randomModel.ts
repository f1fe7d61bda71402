/** @file Tiny random models for tests: their bytes lie in one file, as in a checkpoint. */
import {
  isBias,
  layerRoles,
  layerWeightDims,
  type ModelShape,
  modelRoles,
  modelWeightDims,
  type Role,
} from '../../model/shape';
import { bytesPerElement, type StoredDtype, type TensorRef, type WeightSource } from '../../model/weights';
import { bf16ToNumber, f16ToNumber, numberToBf16, numberToF16 } from '../../numerics/float16';
import type { ReferenceWeights } from '../../numerics/model';
import { createRandom, randomGaussian } from '../../numerics/random';

export interface RandomModel {
  shape: ModelShape;
  weights: WeightSource;
  /** The whole file. */
  bytes: Uint8Array<ArrayBuffer>;
  /** The same values, exactly as stored, for the float64 reference. */
  reference: ReferenceWeights;
}

/** Encodes one value and tells what a reader will see. */
function store(view: DataView, offset: number, dtype: StoredDtype, value: number): number {
  if (dtype === 'F32') {
    view.setFloat32(offset, value, true);
    return view.getFloat32(offset, true);
  }
  const [encode, decode] = dtype === 'F16' ? [numberToF16, f16ToNumber] : [numberToBf16, bf16ToNumber];
  view.setUint16(offset, encode(value), true);
  return decode(view.getUint16(offset, true));
}

/** Random weights for `shape`; `source` indices are those of its layers. The first tensor starts at an odd offset. */
export function randomModel(shape: ModelShape, dtype: StoredDtype = 'F32', seed = 1): RandomModel {
  const random = createRandom(seed);
  const file = 'model.safetensors';
  const wanted: { key: string; role: Role; dims: number[] }[] = [
    ...modelRoles(shape).map((role) => ({ key: role, role, dims: modelWeightDims(shape, role) })),
    ...shape.layers.flatMap((layer) =>
      layerRoles(layer).map((role) => ({
        key: `${layer.source}.${role}`,
        role,
        dims: layerWeightDims(shape, layer, role),
      })),
    ),
  ];
  const refs = new Map<string, TensorRef>();
  const values = new Map<string, Float64Array>();
  const biases = new Set<string>();
  let end = 13; // in place of a header
  for (const { key, role, dims } of wanted) {
    const begin = end;
    end = begin + dims.reduce((a, b) => a * b, 1) * bytesPerElement[dtype];
    refs.set(key, { name: key, dtype, dims, file, begin, end });
    if (isBias(role)) biases.add(key);
  }
  const bytes = new Uint8Array(end);
  const view = new DataView(bytes.buffer);
  for (const [key, ref] of refs) {
    const isVector = ref.dims.length === 1;
    const centre = isVector && !biases.has(key) ? 1 : 0; // norms are around 1
    const scale = isVector ? 0.3 : key === 'embed' ? 1 : 1.5 / Math.sqrt(ref.dims[1]!);
    const count = (ref.end - ref.begin) / bytesPerElement[dtype];
    const stored = new Float64Array(count);
    for (let i = 0; i < count; i++) {
      const value = centre + scale * randomGaussian(random);
      stored[i] = store(view, ref.begin + i * bytesPerElement[dtype], dtype, value);
    }
    values.set(key, stored);
  }
  const weights: WeightSource = {
    layerTensor: (role, source) => refs.get(`${source}.${role}`)!,
    modelTensor: (role) => refs.get(role)!,
    read: async (ref) => bytes.slice(ref.begin, ref.end),
    file: async () => new Blob([bytes]),
  };
  const layers: Record<string, Float64Array>[] = [];
  for (const { source } of shape.layers) layers[source] = {};
  for (const [key, stored] of values) {
    const [source, role] = key.split('.');
    if (role !== undefined) layers[Number(source)]![role] = stored;
  }
  const reference = { ...Object.fromEntries(values), layers } as unknown as ReferenceWeights;
  return { shape, weights, bytes, reference };
}

/** A shape from a few numbers; each layer as [heads, kvHeads, headDim, ffn]. */
export function tinyShape(layers: readonly (readonly number[])[], change: Partial<ModelShape> = {}): ModelShape {
  return {
    family: 'llama',
    vocab: 61,
    hidden: 32,
    normEps: 1e-5,
    ropeTheta: 10000,
    maxPositions: 128,
    tiedHead: true,
    layers: layers.map(([heads, kvHeads, headDim, ffn], source) => ({
      source,
      heads: heads!,
      kvHeads: kvHeads!,
      headDim: headDim!,
      ffn: ffn!,
    })),
    ...change,
  };
}
