/** @file Does a checkpoint hold what the shape promises? Names are resolved here once; elsewhere there are only roles. */
import { LabError } from '../errors';
import { architectureOf } from './architectures';
import { layerTensorName, modelTensorName } from './architectures/architecture';
import { show } from './configFields';
import { foreignNames } from './foreignNames';
import { completeNaming, likelyNaming, type Naming } from './naming';
import {
  isBias,
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
  /** All of them, each once. */
  readonly tensors: readonly TensorRef[];
}

/** One weight that a shape needs. */
export interface Expected {
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
  gateBias: 'ffn',
  upProj: 'ffn × hidden',
  upBias: 'ffn',
  downProj: 'hidden × ffn',
  downBias: 'hidden',
  postMlpNorm: 'hidden',
  finalNorm: 'hidden',
  lmHead: 'vocab × hidden',
};

/** The family's names of all tensors that the shape needs, in the order of the forward pass. */
export function expectedTensorNames(shape: ModelShape): string[] {
  return expectedTensors(shape).map((expected) => expected.name);
}

/**
 * A checkpoint's tensors by name. One that several files hold is the last file's in alphabetical order, as in
 * transformers; the index of the shards has no say.
 */
export function tensorsByName(tensors: Iterable<FileTensor>, notes: string[] = []): Map<string, FileTensor> {
  const byName = new Map<string, FileTensor>();
  let twice = 0;
  for (const tensor of tensors) {
    const other = byName.get(tensor.name);
    if (other === undefined || other.file <= tensor.file) byName.set(tensor.name, tensor);
    if (other === undefined) continue;
    twice += 1;
    if (twice > 1) continue;
    const files = [other.file, tensor.file].sort();
    notes.push(`${show(tensor.name)} is in ${files.join(' and in ')}: the last one is used, as in transformers.`);
  }
  if (twice > 1) notes.push(`${twice} tensors are in more than one file.`);
  return byName;
}

/**
 * Every weight of the shape, found and checked. Tensors that the shape does not need are ignored
 * (old checkpoints keep rotary tables, tied ones a copy of the head). Throws 'bad-weights'.
 */
export function indexTensors(shape: ModelShape, tensors: Iterable<FileTensor>): TensorIndex {
  return tensorIndex(shape, tensorsByName(tensors));
}

/** The same of tensors by name. */
export function tensorIndex(shape: ModelShape, byName: ReadonlyMap<string, FileTensor>): TensorIndex {
  const expected = expectedTensors(shape);
  const architecture = architectureOf(shape.family);
  const naming = namingOf(shape, byName);
  const missing = expected.filter(({ name }) => !byName.has(naming.find(name)));
  if (missing[0]) throw missingTensors(missing, shape, byName, naming);
  const found = new Map<string, TensorRef>();
  const bytes: Record<StoredDtype, number> = { F32: 0, F16: 0, BF16: 0 };
  for (const weight of expected) {
    const tensor = checkTensor(weight, byName.get(naming.find(weight.name))!);
    found.set(weight.name, tensor);
    bytes[tensor.dtype] += tensor.end - tensor.begin;
  }
  const get = (name: string, label: string): TensorRef => {
    const tensor = found.get(name);
    if (tensor) return tensor;
    throw new LabError('bad-argument', `The checkpoint has no ${label}.`, 'Request only weights that the shape has.');
  };
  return {
    tensors: [...found.values()],
    layerTensor: (role, source) => get(layerTensorName(architecture, role, source), `${role} of layer ${source}`),
    modelTensor: (role) => get(modelTensorName(architecture, role), role),
    dtype: (Object.keys(bytes) as StoredDtype[]).reduce((best, dtype) => (bytes[dtype] > bytes[best] ? dtype : best)),
  };
}

/** How the checkpoint spells the names of what the shape needs in any case. Throws 'bad-weights' where that is not clear. */
export function namingOf(shape: ModelShape, byName: ReadonlyMap<string, unknown>): Naming {
  const architecture = architectureOf(shape.family);
  const required = expectedTensors(shape)
    .filter(({ role }) => role !== 'embed' && role !== 'lmHead' && !isBias(role))
    .map(({ name }) => name);
  return completeNaming(architecture, required, byName) ?? likelyNaming(architecture, required, byName);
}

/** Checks type and dims of those tensors that the shape needs: what a single shard can already tell. Throws 'bad-weights'. */
export function checkTensors(shape: ModelShape, tensors: Iterable<FileTensor>): void {
  const byName = new Map(Array.from(tensors, (tensor) => [tensor.name, tensor]));
  const expected = expectedTensors(shape);
  const naming = likelyNaming(
    architectureOf(shape.family),
    expected.map(({ name }) => name),
    byName,
  );
  for (const weight of expected) {
    const tensor = byName.get(naming.find(weight.name));
    if (tensor) checkTensor(weight, tensor);
  }
}

export function expectedTensors(shape: ModelShape): Expected[] {
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

export function checkTensor(
  expected: Expected,
  tensor: FileTensor,
  remedy = 'Is config.json from the same revision?',
): TensorRef {
  const { dtype, dims } = tensor;
  if (dims.length !== expected.dims.length || dims.some((dim, axis) => dim !== expected.dims[axis])) {
    throw new LabError(
      'bad-weights',
      `${expected.label}: expected [${expected.dims.join(', ')}] (${dimsFormula[expected.role]}), got [${dims.join(', ')}].`,
      remedy,
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

function missingTensors(
  missing: readonly Expected[],
  shape: ModelShape,
  byName: ReadonlyMap<string, FileTensor>,
  naming: Naming,
): LabError {
  const [first] = missing;
  const more = missing.length > 1 ? ` and ${missing.length - 1} more` : '';
  const needs = `which a model of ${shape.layers.length} blocks needs`;
  const lacks = `The checkpoint lacks ${first?.label} (${naming.find(first?.name ?? '').slice(0, 120)})${more}, ${needs}`;
  const foreign = foreignNames(byName.keys());
  if (foreign) {
    return new LabError('bad-weights', `${lacks}: its tensor names suggest ${foreign.what}.`, foreign.remedy);
  }
  if (missing.length === 1 && first?.role === 'lmHead') {
    const how = 'If the head reuses the embedding, config.json must say "tie_word_embeddings": true.';
    const bare = ' A model saved without its head cannot be used: save the model for causal language modelling.';
    return new LabError('bad-weights', `${lacks}.`, naming.prefix === '' ? how + bare : how);
  }
  const blocks = heldBlocks(naming, byName.keys());
  if (blocks > 0 && blocks < shape.layers.length && missing.every(({ name }) => blockOf(name, naming.own) >= blocks)) {
    return new LabError(
      'bad-weights',
      `${lacks}: it has tensors of ${blocks} blocks, but config.json says num_hidden_layers ${shape.layers.length}.`,
      'Are all shards present? If blocks were removed, config.json must give the new number of blocks.',
    );
  }
  if (missing.length === expectedTensors(shape).length) {
    const example = byName.keys().next().value ?? '';
    return new LabError(
      'bad-weights',
      `${lacks}: no tensor has a name of this family; the first is ${show(example)} of ${byName.size}.`,
      'Use config.json and weights in Hugging Face format from the same repository.',
    );
  }
  return new LabError('bad-weights', `${lacks}.`, 'Is config.json from the same revision, and are all shards present?');
}

/** One more than the index of the last block of which the checkpoint holds anything. */
export function heldBlocks({ prefix }: Naming, names: Iterable<string>): number {
  let blocks = 0;
  for (const name of names) blocks = Math.max(blocks, blockOf(name, prefix) + 1);
  return blocks;
}

/** Index of the block that a name belongs to; −1 for none. */
function blockOf(name: string, prefix: string): number {
  if (!name.startsWith(`${prefix}layers.`)) return -1;
  const digits = /^\d{1,6}(?=\.)/.exec(name.slice(prefix.length + 'layers.'.length));
  return digits ? Number(digits[0]) : -1;
}
