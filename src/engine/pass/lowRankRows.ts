/** @file Rows of low rank that the backward pass of a block needs twice: for the gradient of a projection's input, and for those of its factors. */
import type { Buffers } from '../gpu/buffers';

/** Of one block and one batch. */
export class LowRankRows {
  readonly #buffers: Pick<Buffers, 'release'>;
  /** Acquired buffers, by the B of their adapter. */
  readonly #known = new Map<GPUBuffer, GPUBuffer>();

  constructor(buffers: Pick<Buffers, 'release'>) {
    this.#buffers = buffers;
  }

  /** dY · B [rows, rank] of the adapter with this B: what `make` acquired and computed at the first call. */
  async of(b: GPUBuffer, make: () => Promise<GPUBuffer>): Promise<GPUBuffer> {
    const known = this.#known.get(b) ?? (await make());
    this.#known.set(b, known);
    return known;
  }

  /** Returns the buffers to the pool. */
  release(): void {
    for (const buffer of this.#known.values()) this.#buffers.release(buffer);
    this.#known.clear();
  }
}
