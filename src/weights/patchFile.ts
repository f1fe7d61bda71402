/** @file A patch from outside: a safetensors file whose every byte is looked at before it becomes part of a variant. */
import { createSHA256 } from 'hash-wasm';
import { LabError, throwIfAborted } from '../errors';
import { show } from '../model/configFields';
import { nonFiniteAmong } from '../model/finiteWeights';
import { type FittedPatch, type FittedTensor, fitPatch } from '../model/patchTensors';
import { layerRoles, type ModelShape } from '../model/shape';
import type { FileTensor } from '../model/tensors';
import { bytesPerElement, partOfTensor, type TensorRef, type WeightSource } from '../model/weights';
import { headerLength, parseHeader, prefixBytes, safetensorsParts } from '../shards/formats/safetensors';
import { breathe, type TaskOptions } from '../task';
import { type PatchFile, patchFileName } from './patched';

/** Longest header of a patch, bytes: a hundred times the names of a large model. */
const mostHeaderBytes = 2 ** 24;
/** Bytes that are read at a time. */
const pieceBytes = 2 ** 24;

interface Weighted {
  readonly shape: ModelShape;
  readonly weights: WeightSource;
}

/** The models that a patch is fitted to. */
export interface PatchTarget {
  /** The unpruned model, whose names the patch uses. */
  readonly base: Weighted;
  /** The variant without the patch: the tensors of the patch replace its tensors. */
  readonly parent: Weighted;
}

export interface CheckedPatch extends PatchFile {
  readonly sha256: string;
  readonly fitted: FittedPatch;
}

/** Fits a patch that was checked when it was stored. Throws 'bad-weights' where it is no patch of this model. */
export async function openPatch(blob: Blob, sha256: string, { base, parent }: PatchTarget): Promise<CheckedPatch> {
  const file = patchFileName(sha256);
  return { file, blob, sha256, fitted: fitPatch(base, parent.shape, await tensorsIn(blob, file), 'The stored patch') };
}

/**
 * Checks a patch from outside: form, names, dimensions, types and every value. Tensors whose bytes equal the parent's are left
 * out. Throws 'bad-safetensors', 'bad-weights', 'non-finite', 'bad-source'.
 */
export async function checkPatch(patch: Blob, target: PatchTarget, task: TaskOptions = {}): Promise<CheckedPatch> {
  const label = patch instanceof File && patch.name !== '' ? `The patch ${show(patch.name)}` : 'The patch';
  const fitted = fitPatch(target.base, target.parent.shape, await tensorsIn(patch, label), label);
  const kept: FittedTensor[] = [];
  for (const each of fitted.tensors) {
    if (await differs(patch, each, target.parent, label, task)) kept.push(each);
  }
  const file =
    kept.length === fitted.tensors.length
      ? patch
      : new Blob(
          safetensorsParts(kept.map(({ tensor }) => ({ ...tensor, data: patch.slice(tensor.begin, tensor.end) }))),
        );
  return openPatch(file, await digestOf(file, label, task), target);
}

/** The tensors that a patch's header names. Throws 'bad-safetensors'. */
async function tensorsIn(patch: Blob, label: string): Promise<readonly FileTensor[]> {
  const prefix = await bytesOf(patch, 0, Math.min(prefixBytes, patch.size), label);
  const length = headerLength(prefix, patch.size, label);
  if (length > mostHeaderBytes) {
    throw new LabError(
      'bad-safetensors',
      `${label}: expected a header of at most ${mostHeaderBytes} bytes, got ${length}.`,
      'A patch names the tensors of one model: leave other data out.',
    );
  }
  return parseHeader(await bytesOf(patch, prefixBytes, prefixBytes + length, label), patch.size, label).tensors;
}

/** Reads a tensor of a patch: refuses values that are not finite, and tells whether any differs from the parent's. */
async function differs(
  patch: Blob,
  fitted: FittedTensor,
  parent: Weighted,
  label: string,
  { signal, onProgress }: TaskOptions,
): Promise<boolean> {
  const { tensor } = fitted;
  const before = replaced(fitted, parent);
  let equal = before?.dtype === tensor.dtype;
  for (let at = tensor.begin; at < tensor.end; at += pieceBytes) {
    await breathe();
    throwIfAborted(signal, 'Reading the patch');
    const end = Math.min(tensor.end, at + pieceBytes);
    const bytes = await bytesOf(patch, at, end, label);
    refuseNonFinite(label, tensor, bytes, at);
    if (equal && before) {
      const same = await parent.weights.read(partOfTensor(before, at - tensor.begin, end - tensor.begin), signal);
      equal = sameBytes(bytes, same);
    }
    onProgress?.({ stage: 'Reading the patch', done: end, total: patch.size, unit: 'bytes' });
  }
  return !equal;
}

/** The parent's tensor in whose place a tensor of the patch comes; null for a bias that the parent lacks. */
function replaced(weight: FittedTensor, { shape, weights }: Weighted): TensorRef | null {
  if (weight.source === null) return weights.modelTensor(weight.role);
  const { role, source } = weight;
  const layer = shape.layers.find((each) => each.source === source);
  return layer && layerRoles(layer).includes(role) ? weights.layerTensor(role, source) : null;
}

function refuseNonFinite(label: string, tensor: TensorRef, bytes: Uint8Array<ArrayBuffer>, at: number): void {
  const { count, places } = nonFiniteAmong(bytes, tensor.dtype, 1);
  if (count === 0) return;
  const index = (at - tensor.begin) / bytesPerElement[tensor.dtype] + (places[0] ?? 0);
  throw new LabError(
    'non-finite',
    `${label}: ${show(tensor.name)}[${index}] is infinite or not a number.`,
    'Save the tensors with finite values: no number could be computed from these.',
  );
}

async function bytesOf(patch: Blob, begin: number, end: number, label: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await patch.slice(begin, end).arrayBuffer());
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new LabError('bad-source', `${label} cannot be read: ${reason}`, 'Choose the file again.', { cause });
  }
}

async function digestOf(blob: Blob, label: string, { signal }: TaskOptions): Promise<string> {
  const hasher = (await createSHA256()).init();
  for (let at = 0; at < blob.size; at += pieceBytes) {
    throwIfAborted(signal, 'Reading the patch');
    hasher.update(await bytesOf(blob, at, Math.min(blob.size, at + pieceBytes), label));
  }
  return hasher.digest('hex');
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
