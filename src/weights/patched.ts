/** @file Tensors of a variant's own over those of its parent: repaired biases, merged adapters, trained weights. */
import { throwIfAborted } from '../errors';
import { asStorageError } from '../io/storage';
import type { FittedPatch } from '../model/patchTensors';
import type { ModelShape, Role } from '../model/shape';
import { ownerOf, type TensorRef, type WeightSource } from '../model/weights';

/** A file of tensors that differ from the parent's. */
export interface PatchFile {
  /** A name that no other file of weights has: the same bytes have the same name. */
  readonly file: string;
  readonly blob: Blob;
}

/** The name of a patch's file, by the SHA-256 of its bytes. */
export const patchFileName = (sha256: string): string => `patch-${sha256}.safetensors`;

/**
 * The parent's weights with the tensors of a patch in their place, and the shape that they have. Nothing is copied: tensors of the
 * parent stay at their places, and those of the patch are read from its file.
 */
export function patched(
  parent: WeightSource,
  patch: PatchFile,
  { shape, tensors }: FittedPatch,
): { readonly shape: ModelShape; readonly weights: WeightSource } {
  const keyOf = (role: Role, source: number | null): string => `${role} ${source}`;
  const own = new Map(tensors.map(({ role, source, tensor }) => [keyOf(role, source), tensor]));
  const isOwn = ({ file }: TensorRef): boolean => file === patch.file;
  const weights: WeightSource = {
    layerTensor: (role, source) => own.get(keyOf(role, source)) ?? parent.layerTensor(role, source),
    modelTensor: (role) => own.get(keyOf(role, null)) ?? parent.modelTensor(role),
    owner: (tensor) => (isOwn(tensor) ? patch : ownerOf(parent, tensor)),
    async read(tensor, signal) {
      if (!isOwn(tensor)) return parent.read(tensor, signal);
      throwIfAborted(signal, 'Reading weights');
      const part = patch.blob.slice(tensor.begin, tensor.end);
      return new Uint8Array(await part.arrayBuffer().catch(asStorageError(`Reading ${tensor.name} of a variant`)));
    },
    file: async (name, signal) => (name === patch.file ? patch.blob : parent.file(name, signal)),
  };
  return { shape, weights };
}
