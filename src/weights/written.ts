/** @file Weights that the engine writes back block by block: from then on they are read from what was written. */
import type { LayerRole } from '../model/shape';
import type { WrittenPiece } from '../model/view';
import { ownerOf, type TensorRef, type WeightSource } from '../model/weights';

interface Written {
  readonly ref: TensorRef;
  readonly blob: Blob;
}

export class WrittenWeights implements WeightSource {
  readonly #before: WeightSource;
  readonly #file: string;
  readonly #written = new Map<string, Written>();
  #writes = 0;

  /** @param file begins the names of what is written; no other view's files begin with it */
  constructor(before: WeightSource, file: string) {
    this.#before = before;
    this.#file = file;
  }

  layerTensor(role: LayerRole, source: number): TensorRef {
    return this.#written.get(`${role} ${source}`)?.ref ?? this.#before.layerTensor(role, source);
  }

  modelTensor: WeightSource['modelTensor'] = (role) => this.#before.modelTensor(role);
  file: WeightSource['file'] = (name, signal) => this.#before.file(name, signal);
  owner = (tensor: TensorRef): object => (this.#blobOf(tensor) ? this : ownerOf(this.#before, tensor));

  async read(tensor: TensorRef, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    const blob = this.#blobOf(tensor);
    if (blob === null) return this.#before.read(tensor, signal);
    return new Uint8Array(await blob.slice(tensor.begin, tensor.end).arrayBuffer());
  }

  /** See `ModelView.writeBack`. What was written before stays until all of the block is there. */
  async writeBack(source: number, pieces: AsyncIterable<WrittenPiece>): Promise<void> {
    const parts = new Map<LayerRole, { readonly piece: WrittenPiece; readonly blobs: Blob[] }>();
    for await (const piece of pieces) {
      const part = parts.get(piece.role) ?? { piece, blobs: [] };
      parts.set(piece.role, part);
      // A Blob each: the browser may move it out of the heap.
      part.blobs.push(new Blob([piece.bytes]));
    }
    this.#writes += 1;
    for (const [role, { piece, blobs }] of parts) {
      const blob = new Blob(blobs);
      const { name } = this.#before.layerTensor(role, source);
      const file = `${this.#file} ${role} ${source} ${this.#writes}`;
      const ref = { name, dtype: piece.dtype, dims: piece.dims, file, begin: 0, end: blob.size };
      this.#written.set(`${role} ${source}`, { ref, blob });
    }
  }

  #blobOf({ file }: TensorRef): Blob | null {
    if (!file.startsWith(`${this.#file} `)) return null;
    const [, role, source] = file.slice(this.#file.length).split(' ');
    return this.#written.get(`${role} ${source}`)?.blob ?? null;
  }
}
