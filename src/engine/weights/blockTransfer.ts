/** @file Copies of a block's weights that start on the GPU: to another slot, or into the worker's memory. */
import type { Buffers } from '../gpu/buffers';
import { type GpuContext, gpuError } from '../gpu/device';

export class BlockTransfer {
  readonly #context: GpuContext;
  readonly #buffers: Buffers;

  constructor(context: GpuContext, buffers: Buffers) {
    this.#context = context;
    this.#buffers = buffers;
  }

  /** Copies whole buffers of equal sizes, behind everything that was submitted. */
  copy(pairs: readonly (readonly [from: GPUBuffer, to: GPUBuffer])[]): void {
    const encoder = this.#context.device.createCommandEncoder({ label: 'copy of a block' });
    for (const [from, to] of pairs) encoder.copyBufferToBuffer(from, 0, to, 0, to.size);
    this.#context.device.queue.submit([encoder.finish()]);
  }

  /** Bytes of a buffer after everything that was submitted. Rejects with 'out-of-memory' or 'device-lost'. */
  async read(buffer: GPUBuffer, offset: number, bytes: number): Promise<Uint8Array<ArrayBuffer>> {
    // Copies begin and end at whole words; buffers are padded.
    const begin = Math.floor(offset / 4) * 4;
    const end = Math.ceil((offset + bytes) / 4) * 4;
    const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
    const staging = await this.#buffers.allocate(end - begin, 'weights on their way back', usage);
    try {
      const encoder = this.#context.device.createCommandEncoder({ label: 'weights on their way back' });
      encoder.copyBufferToBuffer(buffer, begin, staging, 0, end - begin);
      this.#context.device.queue.submit([encoder.finish()]);
      await staging.mapAsync(GPUMapMode.READ, 0, end - begin);
      return new Uint8Array(staging.getMappedRange(0, end - begin)).slice(offset - begin, offset - begin + bytes);
    } catch (thrown) {
      throw await gpuError(this.#context, thrown);
    } finally {
      this.#buffers.free(staging);
    }
  }
}
