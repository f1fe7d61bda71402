/**
 * @file The input of every block of a batch, kept from the forward pass for the backward pass.
 *
 * The backward pass needs the last inputs first: they stay on the GPU as far as a budget allows. The others are read back while
 * the next blocks compute, and wait in the worker's memory. So GPU memory does not grow with depth.
 */
import { gpuError } from '../gpu/device';
import type { EngineParts } from './runtime';

/** Most copies to the worker's memory at a time. */
const mostUnderWay = 2;

/** GPU memory that the inputs of all batches may take together. */
export interface InputBudget {
  bytes: number;
}

export class BlockInputs {
  readonly #parts: EngineParts;
  /** Of one input. */
  readonly #bytes: number;
  /** By block; null for those that are read back. */
  readonly #onGpu: (GPUBuffer | null)[];
  readonly #elsewhere = new Map<number, Promise<Float32Array<ArrayBuffer>>>();
  #underWay: Promise<unknown>[] = [];

  private constructor(parts: EngineParts, bytes: number, onGpu: (GPUBuffer | null)[]) {
    this.#parts = parts;
    this.#bytes = bytes;
    this.#onGpu = onGpu;
  }

  /** Acquires buffers for the inputs [rows, hidden] of so many blocks, and subtracts their bytes from the budget. */
  static async prepare(parts: EngineParts, blocks: number, rows: number, budget: InputBudget): Promise<BlockInputs> {
    const bytes = rows * parts.shape.hidden * 4;
    const fit = Math.min(blocks, Math.floor(budget.bytes / bytes));
    budget.bytes -= fit * bytes;
    const onGpu: (GPUBuffer | null)[] = [];
    for (let block = 0; block < blocks; block++) {
      onGpu.push(block < blocks - fit ? null : await parts.buffers.acquire(bytes, 'block inputs'));
    }
    return new BlockInputs(parts, bytes, onGpu);
  }

  /** A buffer with a copy of the stream before the block. Call `passed` after the block. */
  async copy(block: number, residual: GPUBuffer): Promise<GPUBuffer> {
    const { buffers, queue } = this.#parts;
    const buffer = this.#onGpu[block] ?? (await buffers.acquire(this.#bytes, 'block input on its way'));
    queue.copy(residual, 0, buffer, 0, this.#bytes);
    return buffer;
  }

  /** Says that the block and all hooks have read the copy. */
  async passed(block: number, copy: GPUBuffer): Promise<void> {
    if (this.#onGpu[block] !== null) return;
    const { buffers, queue } = this.#parts;
    if (this.#underWay.length >= mostUnderWay) await this.#underWay.shift();
    const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
    const staging = await buffers.allocate(this.#bytes, 'block input on its way', usage);
    queue.copy(copy, 0, staging, 0, this.#bytes);
    await queue.submit();
    buffers.release(copy);
    const values = this.#readBack(staging);
    values.catch(() => undefined); // raised where it is awaited
    this.#elsewhere.set(block, values);
    this.#underWay.push(values);
  }

  /** An acquired buffer with a block's input, which is kept no longer. */
  async back(block: number): Promise<GPUBuffer> {
    const kept = this.#onGpu[block];
    if (kept) return kept;
    const { buffers, queue } = this.#parts;
    const values = await this.#elsewhere.get(block)!;
    this.#elsewhere.delete(block);
    const buffer = await buffers.acquire(this.#bytes, 'block input on its way');
    await queue.write(buffer, values);
    return buffer;
  }

  async #readBack(staging: GPUBuffer): Promise<Float32Array<ArrayBuffer>> {
    const { buffers, context } = this.#parts;
    try {
      await staging.mapAsync(GPUMapMode.READ);
      return new Float32Array(staging.getMappedRange().slice(0, this.#bytes));
    } catch (thrown) {
      throw await gpuError(context, thrown);
    } finally {
      buffers.free(staging);
    }
  }
}
