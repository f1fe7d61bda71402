/** @file Does a checkpoint hold what the shape promises? Names are resolved here once; elsewhere there are only roles. */
import { LabError } from '../errors';
import { architectureOf } from './architectures';
import { layerTensorName, modelTensorName } from './architectures/architecture';
import {
  type LayerRole,
  layerRoles,
  layerWeightDims,
  type ModelRole,
  type ModelShape,
  modelRoles,
  modelWeightDims,
  type Role,
} from './shape';
import { bytesPerElement, type StoredDtype, type TensorRef } from './weights';

/** A tensor as a file announces it: its element type may be one that we cannot use as a weight. */
export interface FileTensor extends Omit<TensorRef, 'dtype'> {
  readonly dtype: string;
}

/** A checkpoint's weights by role. */
export interface TensorIndex {
  layerTensor(role: LayerRole, source: number): TensorRef;
  modelTensor(role: ModelRole): TensorRef;
  /** The type that most bytes are stored in. */
  readonly dtype: StoredDtype;
}

/** One weight that a shape needs. */
interface Expected {
  readonly name: string;
  /** As in a message: 'qProj of layer 3'. */
  readonly label: string;
  readonly role: Role;
  readonly dims: readonly number[];
}

const dimsFormula: Readonly<Record<Role, string>> = {
  embed: 'vocab × hidden',
  attnNorm: 'hidden',
  qProj: 'heads·headDim × hidden',
  kProj: 'kvHeads·headDim × hidden',
  vProj: 'kvHeads·headDim × hidden',
  qBias: 'heads·headDim',
  kBias: 'kvHeads·headDim',
  vBias: 'kvHeads·headDim',
  qNorm: 'headDim or heads·headDim',
  kNorm: 'headDim or kvHeads·headDim',
  oProj: 'hidden × heads·headDim',
  oBias: 'hidden',
  postAttnNorm: 'hidden',
  mlpNorm: 'hidden',
  gateProj: 'ffn × hidden',
  upProj: 'ffn × hidden',
  downProj: 'hidden × ffn',
  postMlpNorm: 'hidden',
  finalNorm: 'hidden',
  lmHead: 'vocab × hidden',
};

/** Names of all tensors that the shape needs, in the order of the forward pass. */
export function expectedTensorNames(shape: ModelShape): string[] {
  return expectedTensors(shape).map((expected) => expected.name);
}

/**
 * Every weight of the shape, found and checked. Tensors that the shape does not need are ignored
 * (old checkpoints keep rotary tables, tied ones a copy of the head). Throws 'bad-weights'.
 */
export function indexTensors(shape: ModelShape, tensors: Iterable<FileTensor>): TensorIndex {
  const byName = new Map<string, FileTensor>();
  const expected = expectedTensors(shape);
  for (const tensor of tensors) {
    const other = byName.get(tensor.name);
    if (other) throw tensorTwice(tensor, other);
    byName.set(tensor.name, tensor);
  }
  const missing = expected.filter(({ name }) => !byName.has(name));
  if (missing[0]) throw missingTensors(missing, shape);
  const found = new Map<string, TensorRef>();
  const bytes: Record<StoredDtype, number> = { F32: 0, F16: 0, BF16: 0 };
  for (const weight of expected) {
    const tensor = checkTensor(weight, byName.get(weight.name)!);
    found.set(weight.name, tensor);
    bytes[tensor.dtype] += tensor.end - tensor.begin;
  }
  const architecture = architectureOf(shape.family);
  const get = (name: string, label: string): TensorRef => {
    const tensor = found.get(name);
    if (tensor) return tensor;
    throw new LabError('bad-argument', `The checkpoint has no ${label}.`, 'Ask for weights that the shape names.');
  };
  return {
    layerTensor: (role, source) => get(layerTensorName(architecture, role, source), `${role} of layer ${source}`),
    modelTensor: (role) => get(modelTensorName(architecture, role), role),
    dtype: (Object.keys(bytes) as StoredDtype[]).reduce((best, dtype) => (bytes[dtype] > bytes[best] ? dtype : best)),
  };
}

/** Checks type and dims of those tensors that the shape needs: what a single shard can already tell. Throws 'bad-weights'. */
export function checkTensors(shape: ModelShape, tensors: Iterable<FileTensor>): void {
  const byName = new Map(Array.from(tensors, (tensor) => [tensor.name, tensor]));
  for (const weight of expectedTensors(shape)) {
    const tensor = byName.get(weight.name);
    if (tensor) checkTensor(weight, tensor);
  }
}

function expectedTensors(shape: ModelShape): Expected[] {
  const architecture = architectureOf(shape.family);
  const outside = modelRoles(shape).map((role) => ({
    name: modelTensorName(architecture, role),
    label: role,
    role,
    dims: modelWeightDims(shape, role),
  }));
  const blocks = shape.layers.flatMap((layer) =>
    layerRoles(layer).map((role) => ({
      name: layerTensorName(architecture, role, layer.source),
      label: `${role} of layer ${layer.source}`,
      role,
      dims: layerWeightDims(shape, layer, role),
    })),
  );
  const [embed, ...rest] = outside;
  return embed ? [embed, ...blocks, ...rest] : blocks;
}

function checkTensor(expected: Expected, tensor: FileTensor): TensorRef {
  const { dtype, dims } = tensor;
  if (dims.length !== expected.dims.length || dims.some((dim, axis) => dim !== expected.dims[axis])) {
    throw new LabError(
      'bad-weights',
      `${expected.label}: expected [${expected.dims.join(', ')}] (${dimsFormula[expected.role]}), got [${dims.join(', ')}].`,
      'Is config.json from the same revision?',
    );
  }
  if (!isStoredDtype(dtype)) {
    throw new LabError(
      'bad-weights',
      `${expected.label}: expected ${Object.keys(bytesPerElement).join(', ')} elements, got ${dtype}.`,
      'Choose a checkpoint with 16- or 32-bit floating-point weights.',
    );
  }
  return { ...tensor, dtype };
}

function isStoredDtype(dtype: string): dtype is StoredDtype {
  return Object.hasOwn(bytesPerElement, dtype);
}

function tensorTwice(tensor: FileTensor, other: FileTensor): LabError {
  return new LabError(
    'bad-weights',
    `${tensor.name} is in ${other.file} and in ${tensor.file}: expected each tensor once.`,
    'Remove the shards that belong to another version of the model.',
  );
}

function missingTensors(missing: readonly Expected[], shape: ModelShape): LabError {
  const [first] = missing;
  const more = missing.length > 1 ? ` and ${missing.length - 1} more` : '';
  const onlyHead = missing.length === 1 && first?.role === 'lmHead';
  return new LabError(
    'bad-weights',
    `The checkpoint lacks ${first?.label} (${first?.name})${more}, which a model of ${shape.layers.length} blocks needs.`,
    onlyHead
      ? 'If the head reuses the embedding, config.json must say "tie_word_embeddings": true.'
      : 'Is config.json from the same revision, and are all shards there?',
  );
}
