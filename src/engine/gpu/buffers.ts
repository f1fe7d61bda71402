/** @file GPU memory: counts live and peak bytes, and keeps a pool of buffers so that activations need no new allocations. */
import { LabError } from '../../errors';
import type { GpuContext } from './device';

export interface MemoryUse {
  readonly liveBytes: number;
  readonly peakBytes: number;
  /** Live bytes by label. */
  readonly byLabel: Readonly<Record<string, number>>;
}

const storageUsage = (): number => GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;

/** The live buffers, shared by the pools of one engine. */
class Ledger {
  readonly live = new Map<GPUBuffer, string>();
  liveBytes = 0;
  peakBytes = 0;
}

/** Owns every buffer of one engine. Released buffers wait in the pool; `dispose` frees all. */
export class Buffers {
  readonly #context: GpuContext;
  readonly #ledger: Ledger;
  readonly #idle: GPUBuffer[] = [];
  readonly #taken = new Set<GPUBuffer>();

  constructor(context: GpuContext, ledger = new Ledger()) {
    this.#context = context;
    this.#ledger = ledger;
  }

  /** A second pool, for a task that runs beside another: its buffers are counted with these, but released separately. */
  sibling(): Buffers {
    return new Buffers(this.#context, this.#ledger);
  }

  /** A new storage buffer of at least `bytes`, zeroed, for as long as the engine lives. Rejects with 'out-of-memory'. */
  async allocate(bytes: number, label: string, usage = storageUsage()): Promise<GPUBuffer> {
    const { device } = this.#context;
    const size = roundUp(Math.max(bytes, 16), 16);
    this.#checkLimits(size, label, (usage & GPUBufferUsage.STORAGE) !== 0);
    device.pushErrorScope('out-of-memory');
    const buffer = device.createBuffer({ size, usage, label });
    const error = await device.popErrorScope();
    if (this.#context.failure !== null) throw this.#context.failure;
    if (error !== null) {
      buffer.destroy();
      throw this.#outOfMemory(size, label, error.message);
    }
    const ledger = this.#ledger;
    ledger.live.set(buffer, label);
    ledger.liveBytes += size;
    ledger.peakBytes = Math.max(ledger.peakBytes, ledger.liveBytes);
    return buffer;
  }

  /**
   * A storage buffer of at least `bytes` with undefined contents, for one task: from the pool if one fits without wasting
   * more than half. `release` returns it to the pool, and so does `endTask`.
   */
  async acquire(bytes: number, label: string): Promise<GPUBuffer> {
    const fits = this.#idle.filter((buffer) => buffer.size >= bytes && buffer.size <= Math.max(bytes, 4096) * 2);
    const best = fits.reduce<GPUBuffer | undefined>((a, b) => (a === undefined || b.size < a.size ? b : a), undefined);
    const buffer = best ?? (await this.allocate(bytes, label));
    if (best !== undefined) this.#idle.splice(this.#idle.indexOf(best), 1);
    this.#taken.add(buffer);
    this.#ledger.live.set(buffer, label);
    return buffer;
  }

  /** Returns an acquired buffer to the pool. The queue runs in order, so it may be acquired again before its last use has ended. */
  release(buffer: GPUBuffer): void {
    if (this.#taken.delete(buffer)) this.#idle.push(buffer);
  }

  /** Frees a buffer now. */
  free(buffer: GPUBuffer): void {
    if (!this.#ledger.live.delete(buffer)) return;
    this.#ledger.liveBytes -= buffer.size;
    buffer.destroy();
  }

  /** Frees every buffer of the pool, released or not: a task's buffers end with the task, however it ended. */
  endTask(): void {
    for (const buffer of [...this.#idle, ...this.#taken]) this.free(buffer);
    this.#idle.length = 0;
    this.#taken.clear();
  }

  use(): MemoryUse {
    const byLabel: Record<string, number> = {};
    for (const [buffer, label] of this.#ledger.live) byLabel[label] = (byLabel[label] ?? 0) + buffer.size;
    return { liveBytes: this.#ledger.liveBytes, peakBytes: this.#ledger.peakBytes, byLabel };
  }

  /** Counts the peak from now on. */
  resetPeak(): void {
    this.#ledger.peakBytes = this.#ledger.liveBytes;
  }

  /** Frees every buffer, those of siblings too. */
  dispose(): void {
    this.endTask();
    for (const buffer of [...this.#ledger.live.keys()]) this.free(buffer);
  }

  #checkLimits(size: number, label: string, storage: boolean): void {
    const { maxBufferSize, maxStorageBufferBindingSize } = this.#context.device.limits;
    const [name, limit] =
      storage && maxStorageBufferBindingSize < maxBufferSize
        ? ['maxStorageBufferBindingSize', maxStorageBufferBindingSize]
        : ['maxBufferSize', maxBufferSize];
    if (size <= limit) return;
    throw new LabError(
      'unsupported-limit',
      `${label}: ${name} of '${this.#context.info.adapter}' is ${limit} bytes, but ${size} are needed.`,
      'Use a smaller model, shorter sequences or another GPU.',
    );
  }

  #outOfMemory(size: number, label: string, message: string): LabError {
    return new LabError(
      'out-of-memory',
      `${label}: GPU memory is full: ${size} more bytes are needed, ${this.#ledger.liveBytes} are in use (${message}).`,
      'Close other tabs that use the GPU, use fewer or shorter sequences, or a smaller model.',
    );
  }
}

export function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}
