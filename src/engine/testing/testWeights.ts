/** @file For tests: the same weights for the engine (stored bytes by role) and for the float64 model (arrays). */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseConfig } from '../../model/config';
import { fitTensors } from '../../model/fit';
import {
  type LayerRole,
  type LayerShape,
  layerRoles,
  layerWeightDims,
  type ModelRole,
  type ModelShape,
  modelRoles,
  modelWeightDims,
  type RopeScaling,
} from '../../model/shape';
import { type FileTensor, indexTensors } from '../../model/tensors';
import { bytesPerElement, type StoredDtype, type TensorRef, type WeightSource } from '../../model/weights';
import { bf16ToF32, f16ToF32, f32ToBf16, f32ToF16 } from '../../numerics/float16';
import type { ReferenceLayerWeights, ReferenceWeights } from '../../numerics/model';
import { createRandom, mixSeed } from '../../numerics/random';

export interface TestModel {
  readonly shape: ModelShape;
  readonly weights: WeightSource;
  /** What the engine holds, rounded as it is stored. */
  readonly reference: ReferenceWeights;
}

/** A layer of the tiny models that tests run: four query heads of 8, two key/value heads, 44 neurons. */
export const block = (source: number, changes: Partial<LayerShape> = {}): LayerShape => ({
  source,
  heads: 4,
  kvHeads: 2,
  headDim: 8,
  ffn: 44,
  ...changes,
});

/** What a layer without attention says. */
export const noAttention = { heads: 0, kvHeads: 0 };

/** A rotary embedding that differs from the plain one in every way a table can. */
export const yarn: RopeScaling = {
  kind: 'yarn',
  factor: 4,
  originalPositions: 24,
  betaFast: 2,
  betaSlow: 1,
  truncate: true,
  attentionFactor: 1.2,
};

/** A tiny model of these layers; its sizes are multiples of little. */
export const tinyShape = (layers: readonly LayerShape[]): ModelShape => ({
  family: 'llama',
  vocab: 67,
  hidden: 32,
  layers,
  normEps: 1e-5,
  ropeTheta: 10000,
  maxPositions: 64,
  tiedHead: true,
});

/** Values in the given type and back: the bytes a checkpoint would hold, and the numbers that they mean. */
export function stored(
  values: Float32Array,
  dtype: StoredDtype,
): { bytes: Uint8Array<ArrayBuffer>; values: Float32Array<ArrayBuffer> } {
  if (dtype === 'F32') {
    const copy = Float32Array.from(values);
    return { bytes: new Uint8Array(copy.buffer), values: copy };
  }
  const bits = dtype === 'F16' ? f32ToF16(values) : f32ToBf16(values);
  return { bytes: new Uint8Array(bits.buffer), values: valuesOf(new Uint8Array(bits.buffer), dtype) };
}

/** Uniform values in [−scale, scale). */
export function randomValues(count: number, seed: number, scale = 1): Float32Array<ArrayBuffer> {
  const random = createRandom(seed);
  return Float32Array.from({ length: count }, () => (2 * random() - 1) * scale);
}

/** A model with random weights: norms around 1, projections that keep the stream's size. */
export function randomModel(
  shape: ModelShape,
  dtype: StoredDtype | ((role: string) => StoredDtype),
  seed = 1,
): TestModel {
  const dtypeOf = (role: string): StoredDtype => (typeof dtype === 'string' ? dtype : dtype(role));
  const bytes = new Map<string, Uint8Array<ArrayBuffer>>();
  const refs = new Map<string, TensorRef>();
  let next = 0;
  let end = 0;
  const make = (name: string, role: string, dims: readonly number[]): Float32Array => {
    const count = dims.reduce((a, b) => a * b, 1);
    const scale = dims.length === 1 ? 0.5 : 2 / Math.sqrt(dims[1]!);
    const values = randomValues(count, mixSeed(seed, next++), scale).map(
      (value) => value + (dims.length === 1 ? 1 : 0),
    );
    const tensor = stored(values, dtypeOf(role));
    bytes.set(name, tensor.bytes);
    const begin = end;
    end += tensor.bytes.byteLength;
    refs.set(name, { name, dtype: dtypeOf(role), dims, file: 'random', begin, end });
    return tensor.values;
  };
  const layers: Partial<Record<LayerRole, Float32Array>>[] = [];
  for (const layer of shape.layers) {
    layers[layer.source] = Object.fromEntries(
      layerRoles(layer).map((role) => [
        role,
        make(`${role} ${layer.source}`, role, layerWeightDims(shape, layer, role)),
      ]),
    );
  }
  const outside = Object.fromEntries(
    modelRoles(shape).map((role) => [role, make(role, role, modelWeightDims(shape, role))]),
  ) as Record<ModelRole, Float32Array>;
  return {
    shape,
    reference: { ...outside, layers },
    weights: {
      layerTensor: (role, source) => refs.get(`${role} ${source}`)!,
      modelTensor: (role) => refs.get(role)!,
      async read({ begin, end }) {
        // A part of a tensor has another name than the tensor.
        const whole = [...refs.values()].find((ref) => ref.begin <= begin && end <= ref.end)!;
        return bytes.get(whole.name)!.slice(begin - whole.begin, end - whole.begin);
      },
      file: async () => new Blob([...bytes.values()]),
    },
  };
}

/** Numbers that the synthetic weights repeat. */
const patternLength = 2 ** 20 + 7;

/**
 * F16 weights of any size that take no memory: each read makes its bytes again, from the same few numbers at a place
 * that depends on the tensor.
 */
export function syntheticWeights(shape: ModelShape): WeightSource {
  const pattern = f32ToF16(randomValues(patternLength, 1, 0.03));
  const tensorOf = (name: string, seed: number, dims: readonly number[]): TensorRef => {
    const begin = (mixSeed(1, seed) % patternLength) * 2;
    return { name, dtype: 'F16', dims, file: 'synthetic', begin, end: begin + dims.reduce((a, b) => a * b, 2) };
  };
  return {
    layerTensor: (role, source) =>
      tensorOf(
        `${role} ${source}`,
        100 * source + role.length,
        layerWeightDims(shape, shape.layers.find((layer) => layer.source === source)!, role),
      ),
    modelTensor: (role) => tensorOf(role, role.length, modelWeightDims(shape, role)),
    async read({ begin, end }) {
      const values = new Uint16Array((end - begin) / 2);
      for (let at = 0; at < values.length; ) {
        const from = (begin / 2 + at) % patternLength;
        const piece = pattern.subarray(from, from + values.length - at);
        values.set(piece, at);
        at += piece.length;
      }
      return new Uint8Array(values.buffer);
    },
    file: async (name) => {
      throw new RangeError(`${name}: synthetic weights are in no file`);
    },
  };
}

/** A checkpoint's folder on disk, read whole: config.json and its safetensors files. */
export function readModel(folder: string): TestModel {
  const config = parseConfig(JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')));
  const tensors: FileTensor[] = [];
  const files = new Map<string, Buffer>();
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.safetensors'))) {
    const bytes = readFileSync(join(folder, file));
    files.set(file, bytes);
    const first = 8 + Number(bytes.readBigUInt64LE(0));
    const header = JSON.parse(bytes.toString('utf8', 8, first)) as Record<
      string,
      { dtype: string; shape: number[]; data_offsets: [number, number] }
    >;
    for (const [name, { dtype, shape: dims, data_offsets }] of Object.entries(header)) {
      if (name === '__metadata__') continue;
      tensors.push({ name, dtype, dims, file, begin: first + data_offsets[0], end: first + data_offsets[1] });
    }
  }
  const { shape } = fitTensors(config, tensors);
  const { layerTensor, modelTensor } = indexTensors(shape, tensors);
  const read = (tensor: TensorRef): Uint8Array<ArrayBuffer> =>
    Uint8Array.from(files.get(tensor.file)!.subarray(tensor.begin, tensor.end));
  const values = (tensor: TensorRef): Float32Array => valuesOf(read(tensor), tensor.dtype);
  return {
    shape,
    weights: {
      layerTensor,
      modelTensor,
      read: async (tensor) => read(tensor),
      file: async (name) => new Blob([Uint8Array.from(files.get(name)!)]),
    },
    reference: {
      embed: values(modelTensor('embed')),
      finalNorm: values(modelTensor('finalNorm')),
      ...(shape.tiedHead ? {} : { lmHead: values(modelTensor('lmHead')) }),
      layers: shape.layers.map(
        (layer) =>
          Object.fromEntries(
            layerRoles(layer).map((role) => [role, values(layerTensor(role, layer.source))]),
          ) as Partial<ReferenceLayerWeights>,
      ),
    },
  };
}

function valuesOf(bytes: Uint8Array<ArrayBuffer>, dtype: StoredDtype): Float32Array<ArrayBuffer> {
  if (dtype === 'F32') return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / bytesPerElement.F32);
  const bits = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / bytesPerElement[dtype]);
  return dtype === 'F16' ? f16ToF32(bits) : bf16ToF32(bits);
}
