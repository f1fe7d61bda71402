/** @file How far a stretch of the model turns the residual stream: 1 − mean cosine of the states around it, over all tokens. */

import { cosineRows } from '../kernels/cosineRows';
import { touch } from '../pass/parts';
import type { EngineParts } from '../pass/runtime';
import type { Batch } from '../pass/sequences';

/** Collects a cosine per token and span while batches pass; several batches may be in progress. */
export class CosineMeans {
  readonly #parts: EngineParts;
  readonly #kept = new Map<Batch, GPUBuffer>();
  readonly #sums: number[];
  #tokens = 0;

  /** @param chunks how many parts of the model are looked at, numbered from 0 */
  constructor(parts: EngineParts, chunks: number) {
    this.#parts = parts;
    this.#sums = new Array<number>(chunks).fill(0);
  }

  async begin(batch: Batch): Promise<void> {
    const bytes = this.#sums.length * batch.tokens.length * 4;
    this.#kept.set(batch, await this.#parts.buffers.acquire(bytes, 'cosines'));
  }

  /** The stream [rows, hidden] before and behind a stretch. */
  async add(batch: Batch, chunk: number, before: GPUBuffer, after: GPUBuffer): Promise<void> {
    const { hidden } = this.#parts.shape;
    const rows = batch.tokens.length;
    await this.#parts.queue.launch(
      cosineRows,
      { a: before, b: after, y: this.#kept.get(batch)! },
      { rows, hidden, aFirst: 0, bFirst: 0, yFirst: chunk * rows },
      rows * hidden * touch,
    );
  }

  async end(batch: Batch): Promise<void> {
    const rows = batch.tokens.length;
    const buffer = this.#kept.get(batch)!;
    const values = new Float32Array(await this.#parts.queue.read(buffer, this.#sums.length * rows * 4));
    batch.lengths.forEach((length, sequence) => {
      this.#tokens += length;
      this.#sums.forEach((_, chunk) => {
        const first = chunk * rows + sequence * batch.seqLen;
        for (let row = 0; row < length; row++) this.#sums[chunk]! += values[first + row]!;
      });
    });
    this.#parts.buffers.release(buffer);
    this.#kept.delete(batch);
  }

  /** 1 − mean cosine of each stretch, of all batches that have ended. */
  turns(): number[] {
    return this.#sums.map((sum) => 1 - sum / this.#tokens);
  }
}
