/** @file Collects the results of many launches in one buffer and reads them back together, because every read waits for the GPU. */
import type { Buffers } from './buffers';
import type { CommandQueue } from './commandQueue';

/** 4 MiB. */
const usualCapacity = 2 ** 20;

type Use = (values: Float32Array) => void;

export class ReadLater {
  readonly #buffers: Buffers;
  readonly #queue: CommandQueue;
  readonly #capacity: number;
  #buffer: GPUBuffer | null = null;
  #size = 0;
  #used = 0;
  #waiting: { first: number; count: number; use: Use }[] = [];

  /** @param capacity size of the buffer, in numbers, unless a single result is larger */
  constructor({ buffers, queue }: { buffers: Buffers; queue: CommandQueue }, capacity = usualCapacity) {
    this.#buffers = buffers;
    this.#queue = queue;
    this.#capacity = capacity;
  }

  /** A place for a launch to write `count` pairs of numbers, from pair `first` on. `use` gets the numbers once they have been read. */
  async pairs(count: number, use: Use): Promise<{ buffer: GPUBuffer; first: number }> {
    const numbers = 2 * count;
    if (this.#used + numbers > this.#size) await this.flush();
    if (this.#buffer === null || numbers > this.#size) {
      if (this.#buffer !== null) this.#buffers.release(this.#buffer);
      this.#size = Math.max(numbers, this.#capacity);
      this.#buffer = await this.#buffers.acquire(this.#size * 4, 'results to be read');
    }
    const first = this.#used;
    this.#used += numbers;
    this.#waiting.push({ first, count: numbers, use });
    return { buffer: this.#buffer, first: first / 2 };
  }

  /** Reads the collected results and gives each to its `use`. */
  async flush(): Promise<void> {
    if (this.#buffer === null || this.#used === 0) return;
    const values = new Float32Array(await this.#queue.read(this.#buffer, this.#used * 4));
    for (const { first, count, use } of this.#waiting) use(values.subarray(first, first + count));
    this.#waiting = [];
    this.#used = 0;
  }
}
