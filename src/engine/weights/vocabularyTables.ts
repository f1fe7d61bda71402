/**
 * @file Embeddings, heads and final norms on the GPU. Views share a table if its tensor is stored at the same place; each is
 * freed when the last view that uses it closes.
 */
import type { ModelRole, ModelShape } from '../../model/shape';
import { bytesPerElement, type WeightSource } from '../../model/weights';
import { type Buffers, roundUp } from '../gpu/buffers';
import { placeKey } from './blockKey';
import type { VocabPart } from './gpuWeights';
import type { WeightUpload } from './weightUpload';

/** A weight outside the blocks. A matrix that is too large for one binding is split by vocabulary rows. */
export interface VocabularyTable {
  readonly key: string;
  /** One part [1, hidden] for the final norm. */
  readonly parts: readonly VocabPart[];
  readonly bytes: number;
}

/** How a table lies on the GPU, known before it is there. */
interface TablePlan {
  readonly key: string;
  readonly parts: readonly Omit<VocabPart, 'buffer'>[];
  readonly bytes: number;
}

export class VocabularyTables {
  readonly #buffers: Buffers;
  /** Largest part of a table, bytes. */
  readonly #partBytes: number;
  readonly #tables = new Map<string, { readonly table: VocabularyTable; users: number }>();

  constructor(buffers: Buffers, partBytes: number) {
    this.#buffers = buffers;
    this.#partBytes = partBytes;
  }

  /** Bytes of all tables. */
  get bytes(): number {
    let bytes = 0;
    for (const { table } of this.#tables.values()) bytes += table.bytes;
    return bytes;
  }

  /** Bytes that a table would add; 0 if another view has it already. */
  missingBytes(role: ModelRole, shape: ModelShape, weights: WeightSource): number {
    const { key, bytes } = this.#plan(role, shape, weights);
    return this.#tables.has(key) ? 0 : bytes;
  }

  /** A table, uploaded unless another view has it already. One call at a time. Release it. */
  async acquire(
    role: ModelRole,
    shape: ModelShape,
    weights: WeightSource,
    upload: WeightUpload,
    stop: () => void,
    report: () => void,
  ): Promise<VocabularyTable> {
    const { key, parts: planned, bytes } = this.#plan(role, shape, weights);
    const known = this.#tables.get(key);
    if (known !== undefined) {
      known.users += 1;
      return known.table;
    }
    const parts: VocabPart[] = [];
    try {
      for (const part of planned) {
        const { dtype, rows, inner, first } = part;
        const buffer = await this.#buffers.allocate(rows * inner * bytesPerElement[dtype], role);
        parts.push({ ...part, buffer });
        await upload.model(role, { first: first * inner, count: rows * inner, dtype }, buffer, stop);
        report();
      }
    } catch (thrown) {
      for (const { buffer } of parts) this.#buffers.free(buffer);
      throw thrown;
    }
    const table = { key, parts, bytes };
    this.#tables.set(key, { table, users: 1 });
    return table;
  }

  /** Frees the table if no other view uses it. */
  release({ key }: VocabularyTable): void {
    const entry = this.#tables.get(key);
    if (entry === undefined) return;
    entry.users -= 1;
    if (entry.users > 0) return;
    this.#tables.delete(key);
    for (const { buffer } of entry.table.parts) this.#buffers.free(buffer);
  }

  #plan(role: ModelRole, { vocab, hidden }: ModelShape, weights: WeightSource): TablePlan {
    const tensor = weights.modelTensor(role);
    const [rows, dtype] = role === 'finalNorm' ? [1, 'F32' as const] : [vocab, tensor.dtype];
    const rowBytes = hidden * bytesPerElement[dtype];
    // Multiples of 8 rows keep every part at a whole number of 16 bytes.
    const step = Math.max(Math.floor(this.#partBytes / rowBytes / 8) * 8, 8);
    const parts: Omit<VocabPart, 'buffer'>[] = [];
    for (let first = 0; first < rows; first += step) {
      parts.push({ dtype, rows: Math.min(step, rows - first), inner: hidden, first });
    }
    const bytes = parts.reduce((sum, part) => sum + roundUp(part.rows * rowBytes, 16), 0);
    return { key: `${role === 'finalNorm' ? 'norm' : 'table'} ${placeKey(tensor)}`, parts, bytes };
  }
}
