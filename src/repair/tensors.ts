/** @file Tensors of variants' own: read in pieces, named, joined to a patch. */
import { throwIfAborted } from '../errors';
import { architectureOf } from '../model/architectures';
import { layerTensorName } from '../model/architectures/architecture';
import type { FittedTensor } from '../model/patchTensors';
import { type LayerRole, layerRoles, type ModelShape } from '../model/shape';
import {
  bytesPerElement,
  partOfTensor,
  type StoredDtype,
  type TensorRef,
  toFloat32,
  type WeightSource,
} from '../model/weights';
import { f32ToBf16, f32ToF16 } from '../numerics/float16';
import type { Weighted } from '../pruning/cuts';
import { safetensorsParts } from '../shards/formats/safetensors';
import { breathe, type TaskOptions } from '../task';
import { patched } from '../weights/patched';
import { type CheckedPatch, checkPatch } from '../weights/patchFile';
import type { OwnTensor } from './types';

/** Bytes of a tensor that are read at a time. */
const pieceBytes = 2 ** 24;

/** A tensor's rows in pieces: `first` is the row that a piece begins with. Rows of a vector are its elements. */
export async function* rowsOf(
  weights: WeightSource,
  tensor: TensorRef,
  { signal }: TaskOptions,
): AsyncGenerator<{ first: number; bytes: Uint8Array<ArrayBuffer> }> {
  const [height = 1] = tensor.dims;
  const rowBytes = (tensor.end - tensor.begin) / height;
  const rows = Math.max(1, Math.floor(pieceBytes / rowBytes));
  for (let first = 0; first < height; first += rows) {
    await breathe();
    throwIfAborted(signal, 'Reading weights');
    const part = partOfTensor(tensor, first * rowBytes, Math.min(height, first + rows) * rowBytes);
    yield { first, bytes: await weights.read(part, signal) };
  }
}

/** All values of a tensor as numbers. */
export async function valuesOf(
  weights: WeightSource,
  tensor: TensorRef,
  task: TaskOptions,
): Promise<Float32Array<ArrayBuffer>> {
  const values = new Float32Array((tensor.end - tensor.begin) / bytesPerElement[tensor.dtype]);
  const width = values.length / (tensor.dims[0] ?? 1);
  for await (const { first, bytes } of rowsOf(weights, tensor, task)) {
    values.set(toFloat32(bytes, tensor.dtype), first * width);
  }
  return values;
}

/** A tensor of a block with new values, rounded to a type. */
export function ownTensor(
  shape: ModelShape,
  role: LayerRole,
  source: number,
  dims: readonly number[],
  values: Float32Array<ArrayBuffer>,
  dtype: StoredDtype = 'F32',
): OwnTensor {
  const name = layerTensorName(architectureOf(shape.family), role, source);
  return { role, source, name, dtype, dims, data: bytesOf(values, dtype) };
}

function bytesOf(values: Float32Array<ArrayBuffer>, dtype: StoredDtype): Uint8Array<ArrayBuffer> {
  if (dtype === 'F32') return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return new Uint8Array((dtype === 'F16' ? f32ToF16(values) : f32ToBf16(values)).buffer);
}

/** Of a model's own tensors those that a model made from it still has, with the values that they have there. */
export async function carriedTensors(
  own: readonly FittedTensor[],
  { shape, weights }: Weighted,
  task: TaskOptions,
): Promise<OwnTensor[]> {
  const rolesOf = new Map(shape.layers.map((layer) => [layer.source, layerRoles(layer)]));
  const carried: OwnTensor[] = [];
  for (const { role, source, tensor } of own) {
    if (source !== null && rolesOf.get(source)?.includes(role) !== true) continue;
    const ref = source === null ? weights.modelTensor(role) : weights.layerTensor(role, source);
    const parts: Blob[] = [];
    // A Blob each: the browser may move it out of the heap while the next rows are read.
    for await (const { bytes } of rowsOf(weights, ref, task)) parts.push(new Blob([bytes]));
    const { dtype, dims } = ref;
    carried.push({ role, source, name: tensor.name, dtype, dims, data: new Blob(parts) });
  }
  return carried;
}

/** The tensors of both lists; of a weight that is in both that of the second. */
export function joined(first: readonly OwnTensor[], second: readonly OwnTensor[]): OwnTensor[] {
  const keyOf = ({ role, source }: OwnTensor): string => `${role} ${source}`;
  const replaced = new Set(second.map(keyOf));
  return [...first.filter((tensor) => !replaced.has(keyOf(tensor))), ...second];
}

/** A safetensors file of the tensors; null without any. */
export function fileOf(tensors: readonly OwnTensor[]): Blob | null {
  return tensors.length === 0 ? null : new Blob(safetensorsParts(tensors));
}

/** A model with tensors of its own in place of those that it had. */
export async function withTensors(
  base: Weighted,
  model: Weighted,
  tensors: readonly OwnTensor[],
  task: TaskOptions,
): Promise<Weighted> {
  const file = fileOf(tensors);
  if (file === null) return model;
  const patch: CheckedPatch = await checkPatch(file, { base, parent: model }, { signal: task.signal });
  return patched(model.weights, patch, patch.fitted);
}
