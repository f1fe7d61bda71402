/** @file AdamW's running means of every trained tensor, on the GPU from the first step until the training is closed. */
import type { EngineParts } from '../pass/runtime';
import type { TrainedTensor } from './trainable';

/** Running means of a tensor's gradient and of its square, as many float32 as the tensor has. */
export interface GpuMoments {
  readonly first: GPUBuffer;
  readonly second: GPUBuffer;
}

export class MomentStore {
  readonly #moments = new Map<string, GpuMoments>();
  #free: (() => void)[] = [];

  /** A tensor's moments; zeros before its first step. */
  async of({ buffers }: EngineParts, { key, count }: TrainedTensor): Promise<GpuMoments> {
    const known = this.#moments.get(key);
    if (known) return known;
    const make = async (label: string): Promise<GPUBuffer> => {
      const buffer = await buffers.allocate(count * 4, label); // zeros, as all new buffers
      this.#free.push(() => buffers.free(buffer));
      return buffer;
    };
    const moments = { first: await make(`first moment of ${key}`), second: await make(`second moment of ${key}`) };
    this.#moments.set(key, moments);
    return moments;
  }

  close(): void {
    for (const free of this.#free) free();
    this.#free = [];
    this.#moments.clear();
  }
}
