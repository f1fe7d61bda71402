/** @file The residual streams of all batches between two blocks: on the GPU within a budget, the others in the worker's memory. */
import { type EngineParts, embedBatch } from '../pass/runtime';
import type { Batch } from '../pass/sequences';

export class BatchStates {
  readonly #parts: EngineParts;
  readonly #states = new Map<Batch, GPUBuffer | Float32Array<ArrayBuffer>>();
  #left: number;

  /** @param bytes GPU memory that the streams may take together */
  constructor(parts: EngineParts, bytes: number) {
    this.#parts = parts;
    this.#left = bytes;
  }

  /** Embeds a batch, whose stream is kept from now on. */
  async embed(batch: Batch): Promise<void> {
    const bytes = this.#bytesOf(batch);
    const buffer = await this.#parts.buffers.acquire(bytes, 'streams between blocks');
    await embedBatch(this.#parts, batch, buffer);
    if (bytes <= this.#left) {
      this.#left -= bytes;
      this.#states.set(batch, buffer);
      return;
    }
    await this.put(batch, buffer);
  }

  /** An acquired buffer with a copy of a batch's stream: release it. */
  async copy(batch: Batch): Promise<GPUBuffer> {
    const { buffers, queue } = this.#parts;
    const bytes = this.#bytesOf(batch);
    const state = this.#states.get(batch)!;
    const buffer = await buffers.acquire(bytes, 'stream of a batch');
    if (state instanceof Float32Array) await queue.write(buffer, state);
    else queue.copy(state, 0, buffer, 0, bytes);
    return buffer;
  }

  /** The stream of a batch, to be changed in place: `put` it back. */
  async take(batch: Batch): Promise<GPUBuffer> {
    const state = this.#states.get(batch)!;
    return state instanceof Float32Array ? this.copy(batch) : state;
  }

  /** Keeps a stream that was taken. */
  async put(batch: Batch, buffer: GPUBuffer): Promise<void> {
    if (this.#states.get(batch) === buffer) return;
    const { buffers, queue } = this.#parts;
    this.#states.set(batch, new Float32Array(await queue.read(buffer, this.#bytesOf(batch))));
    buffers.release(buffer);
  }

  /** Keeps the stream of a batch no longer. */
  drop(batch: Batch): void {
    const state = this.#states.get(batch)!;
    this.#states.delete(batch);
    if (!(state instanceof Float32Array)) this.#parts.buffers.release(state);
  }

  #bytesOf({ tokens }: Batch): number {
    return tokens.length * this.#parts.shape.hidden * 4;
  }
}
