/**
 * @file What the engines of a model and its variants have in common: one GPU with two lanes of tasks, and one memory budget.
 *
 * A lane runs one task at a time, of whichever view. The two lanes share the GPU, submission by submission.
 */
import { LabError } from '../errors';
import { Turns } from '../turns';
import { Buffers } from './gpu/buffers';
import { CommandQueue } from './gpu/commandQueue';
import type { GpuContext } from './gpu/device';
import { type Pipelines, pipelinesOf } from './gpu/pipelines';
import { KernelChoice } from './kernels/kernelChoice';
import type { EngineOptions } from './options';
import type { RopeTables } from './pass/parts';
import { WeightMemory } from './weights/modelWeights';

/** 'answers': short questions whose asker waits. 'analysis': passes for the criteria, which may take minutes. */
export type LaneName = 'answers' | 'analysis';

/** What the task at work on a lane has for itself. */
export interface Lane {
  readonly turns: Turns;
  readonly queue: CommandQueue;
  /** Its pool is empty between tasks. */
  readonly buffers: Buffers;
  /** Kept for the next tasks. */
  readonly ropeTables: RopeTables;
}

/** GPU memory that one task may take, bytes; less after the GPU was full. As in `EngineParts`. */
interface TaskMemory {
  readonly sweepBytes: number;
  readonly inputBytes: number;
  readonly logitBytes: number;
}

/** Of a memory budget, the share of the weights. The rest is for what passes keep. */
export const weightShare = 0.75;

export class Lanes {
  readonly context: GpuContext;
  readonly pipelines: Pipelines;
  readonly choice: KernelChoice;
  readonly weights: WeightMemory;
  /** Counts every buffer of every view. */
  readonly buffers: Buffers;
  #answers: Lane | null = null;
  #analysis: Lane | null = null;
  #memory: TaskMemory;
  #disposed = false;

  constructor(context: GpuContext, options: EngineOptions) {
    this.context = context;
    this.pipelines = pipelinesOf(context);
    this.choice = new KernelChoice(context.info, options);
    this.choice.adopt(options.tuned ?? []);
    this.buffers = new Buffers(context);
    const { memoryBytes, vocabPartBytes } = options;
    const weightBytes = memoryBytes === undefined ? undefined : memoryBytes * weightShare;
    this.weights = new WeightMemory(context, this.buffers, { vocabPartBytes, weightBytes });
    const { maxBufferSize, maxStorageBufferBindingSize } = context.device.limits;
    const inputBytes = memoryBytes === undefined ? 2 ** 30 : memoryBytes * (1 - weightShare);
    const most = Math.min(2 ** 29, maxBufferSize / 4, maxStorageBufferBindingSize, inputBytes);
    this.#memory = { sweepBytes: options.sweepBytes ?? most, inputBytes, logitBytes: options.logitBytes ?? 2 ** 24 };
  }

  #lane(buffers: Buffers): Lane {
    const queue = new CommandQueue(this.context, this.pipelines);
    return { turns: new Turns(), queue, buffers, ropeTables: new Map() };
  }

  get answers(): Lane {
    this.#answers ??= this.#lane(this.buffers);
    return this.#answers;
  }

  get analysis(): Lane {
    this.#analysis ??= this.#lane(this.buffers.sibling());
    return this.#analysis;
  }

  get memory(): TaskMemory {
    return this.#memory;
  }

  get disposed(): boolean {
    return this.#disposed;
  }

  /**
   * After a task ran out of GPU memory: evicts blocks and leaves tasks less memory, so that the task may be tried again. False
   * for another failure, and if nothing can be evicted.
   */
  async makeRoom(thrown: unknown, signal: AbortSignal | undefined): Promise<boolean> {
    if (!(thrown instanceof LabError && thrown.code === 'out-of-memory')) return false;
    if (!(await this.weights.blocks.shrink(signal))) return false;
    const { inputBytes, sweepBytes, logitBytes } = this.#memory;
    this.#memory = { inputBytes: inputBytes / 2, sweepBytes: sweepBytes / 2, logitBytes };
    return true;
  }

  /** Frees everything. A call that is at work rejects. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.weights.dispose();
    for (const lane of [this.#answers, this.#analysis]) lane?.queue.dispose();
    this.buffers.dispose();
  }
}
