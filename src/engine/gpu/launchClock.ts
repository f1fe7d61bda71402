/**
 * @file How long launches take on the GPU, by kernel: measured by timestamp queries around passes, else by the wall clock.
 *
 * Timestamps measure the GPU's work and nothing else; browsers round them, Chrome to 100 µs. Without timestamps a
 * submission is timed, from the end of the submission before it to its own end, with the overhead of submitting.
 */
import type { GpuContext } from './device';

/** How times were measured. */
export type Timing = 'timestamps' | 'wall clock';

/** All launches of one kernel together. */
export interface KernelTime {
  readonly kernel: string;
  readonly launches: number;
  readonly milliseconds: number;
  /** Floating-point operations; null where the kernel does not count them. */
  readonly flops: number | null;
}

/** Launches that are timed together: those of a pass; without timestamps, those of a submission. */
interface Section {
  readonly kernel: string;
  launches: number;
  flops: number | null;
}

export interface ClockOptions {
  /** Times every launch separately; otherwise consecutive launches count as the first one's kernel. */
  readonly eachLaunch: boolean;
  /** Uses the wall clock even if the device has timestamps. */
  readonly wallClock?: boolean;
}

/** Most passes of a submission: the command queue submits after so many launches. */
const mostPasses = 256;

/** Exists while a command queue's launches are timed: the queue opens passes and closes submissions with it. */
export class LaunchClock {
  readonly timing: Timing;
  readonly eachLaunch: boolean;
  readonly #context: GpuContext;
  readonly #queries: GPUQuerySet | null = null;
  readonly #resolved: GPUBuffer | null = null;
  readonly #times = new Map<string, KernelTime>();
  #sections: Section[] = [];
  #passes = 0;
  #broken = false;

  constructor(context: GpuContext, { eachLaunch, wallClock = false }: ClockOptions) {
    this.#context = context;
    this.eachLaunch = eachLaunch;
    this.timing = context.device.features.has('timestamp-query') && !wallClock ? 'timestamps' : 'wall clock';
    if (this.timing === 'wall clock') return;
    const { device } = context;
    this.#queries = device.createQuerySet({ label: 'launch clock', type: 'timestamp', count: 2 * mostPasses });
    this.#resolved = device.createBuffer({
      label: 'launch clock',
      size: 2 * mostPasses * 8,
      usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
    });
  }

  /** A launch can be timed separately only in a submission of its own. */
  get eachSubmission(): boolean {
    return this.eachLaunch && this.timing === 'wall clock';
  }

  /** The descriptor to open the next pass with. */
  pass(): GPUComputePassDescriptor {
    if (this.#queries === null) return {};
    const first = 2 * this.#passes;
    this.#passes += 1;
    return {
      timestampWrites: {
        querySet: this.#queries,
        beginningOfPassWriteIndex: first,
        endOfPassWriteIndex: first + 1,
      },
    };
  }

  /** Counts a launch in the pass that was opened last. */
  launched(kernel: string, flops: number | null): void {
    const sections = this.#queries === null ? 1 : this.#passes;
    if (this.#sections.length < sections) this.#sections.push({ kernel, launches: 0, flops: 0 });
    const section = this.#sections.at(-1)!;
    section.launches += 1;
    section.flops = flops === null || section.flops === null ? null : section.flops + flops;
  }

  /** Ends a submission. Call the returned function with its milliseconds by the wall clock when the GPU has finished it. */
  close(encoder: GPUCommandEncoder): (milliseconds: number) => Promise<void> {
    const sections = this.#sections;
    this.#sections = [];
    this.#passes = 0;
    if (sections.length === 0) return async () => undefined;
    if (this.#queries === null) return async (milliseconds) => this.#add(sections[0]!, milliseconds);
    const bytes = 2 * sections.length * 8;
    const staging = this.#context.device.createBuffer({
      label: 'launch clock',
      size: bytes,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    });
    encoder.resolveQuerySet(this.#queries, 0, 2 * sections.length, this.#resolved!, 0);
    encoder.copyBufferToBuffer(this.#resolved!, 0, staging, 0, bytes);
    return async () => {
      try {
        await staging.mapAsync(GPUMapMode.READ);
        const stamps = new BigInt64Array(staging.getMappedRange());
        for (const [index, section] of sections.entries()) {
          const nanoseconds = Number(stamps[2 * index + 1]! - stamps[2 * index]!);
          if (nanoseconds < 0) this.#broken = true;
          this.#add(section, Math.max(0, nanoseconds) / 1e6);
        }
      } finally {
        staging.destroy();
      }
    };
  }

  /** The times so far, the slowest kernel first. */
  times(): KernelTime[] {
    return [...this.#times.values()].sort((a, b) => b.milliseconds - a.milliseconds);
  }

  /** False if the timestamps are impossible: some drivers write zeros, or an end before its beginning. */
  get plausible(): boolean {
    return !this.#broken && this.times().some(({ milliseconds }) => milliseconds > 0);
  }

  /** Forgets the times so far. */
  reset(): void {
    this.#times.clear();
  }

  dispose(): void {
    this.#queries?.destroy();
    this.#resolved?.destroy();
  }

  #add({ kernel, launches, flops }: Section, milliseconds: number): void {
    const before = this.#times.get(kernel) ?? { kernel, launches: 0, milliseconds: 0, flops: 0 };
    this.#times.set(kernel, {
      kernel,
      launches: before.launches + launches,
      milliseconds: before.milliseconds + milliseconds,
      flops: before.flops === null || flops === null ? null : before.flops + flops,
    });
  }
}
