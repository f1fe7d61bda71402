/**
 * @file The command queue of one lane: encodes launches and submits them to the GPU in short submissions.
 *
 * Every launch states roughly how many operations it costs. The queue measures the GPU's speed as it goes, submits when the
 * launches will take some tens of milliseconds, and keeps at most two submissions under way: the GPU does not idle, the tab
 * stays responsive, and a cancelled task stops within two submissions.
 */
import { LabError, throwIfAborted, toLabError, unlessAborted } from '../../errors';
import { type GpuContext, gpuError } from './device';
import { grid, type Kernel, packParams } from './kernel';
import type { LaunchClock } from './launchClock';
import { type Pipelines, pipelinesOf } from './pipelines';

/** How long a submission should take. */
const submitMs = 40;
const paramSlot = 256;
const paramSlots = 256;
/** Operations per second assumed before anything was measured. */
const firstRate = { software: 1e9, hardware: 2e11 };

export class CommandQueue {
  readonly #context: GpuContext;
  readonly #pipelines: Pipelines;
  readonly #paramBuffer: GPUBuffer;
  readonly #paramGroup: GPUBindGroup;
  readonly #paramBytes = new Uint8Array(paramSlot * paramSlots);
  #signal: AbortSignal | undefined;
  #encoder: GPUCommandEncoder | null = null;
  #pass: GPUComputePassEncoder | null = null;
  #launches = 0;
  #flops = 0;
  #underWay: Promise<void>[] = [];
  #lastFinished = 0;
  #rate: number;
  #clock: LaunchClock | null = null;
  #closed = false;

  constructor(context: GpuContext, pipelines: Pipelines = pipelinesOf(context)) {
    this.#context = context;
    this.#pipelines = pipelines;
    this.#rate = context.info.software ? firstRate.software : firstRate.hardware;
    const { device } = context;
    this.#paramBuffer = device.createBuffer({
      label: 'params',
      size: this.#paramBytes.byteLength,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
    this.#paramGroup = device.createBindGroup({
      label: 'params',
      layout: pipelines.paramLayout,
      entries: [{ binding: 0, resource: { buffer: this.#paramBuffer, size: paramSlot } }],
    });
  }

  /** The signal of the task at work. */
  get signal(): AbortSignal | undefined {
    return this.#signal;
  }

  /** Operations per second, as measured so far. */
  get rate(): number {
    return this.#rate;
  }

  /** Operations that one launch should not exceed, so that a single one stays short too. */
  get launchFlops(): number {
    return (this.#rate * submitMs) / 1000;
  }

  /** Starts a task, whose signal stops the queue between submissions. Commands that a failed task left are dropped. */
  begin(signal: AbortSignal | undefined): void {
    this.#discard();
    this.#underWay = [];
    this.#signal = signal;
  }

  /** Compiles records before their first launch, several at a time. */
  prepare(kernels: Iterable<Kernel>): Promise<void> {
    // A software adapter compiles for seconds.
    return unlessAborted(this.#pipelines.prepare([...kernels]), this.#signal);
  }

  /** Encodes one launch; `flops` is its rough cost. Submits when enough launches are encoded. */
  async launch<B extends string, P extends string>(
    kernel: Kernel<B, P>,
    buffers: Readonly<Record<B, GPUBuffer>>,
    params: Readonly<Record<P, number>>,
    flops: number,
  ): Promise<void> {
    const { device } = this.#context;
    const { pipeline, layout } = await unlessAborted(this.#pipelines.of(kernel), this.#signal);
    this.#check();
    const [x, y] = grid(kernel, params, device.limits.maxComputeWorkgroupsPerDimension);
    this.#paramBytes.set(packParams(kernel, params), this.#launches * paramSlot);
    this.#encoder ??= this.#open();
    this.#pass ??= this.#encoder.beginComputePass(this.#clock?.pass());
    this.#pass.setPipeline(pipeline);
    this.#pass.setBindGroup(
      0,
      device.createBindGroup({
        label: kernel.name,
        layout,
        entries: (Object.keys(kernel.buffers) as B[]).map((name, binding) => ({
          binding,
          resource: { buffer: buffers[name] },
        })),
      }),
    );
    this.#pass.setBindGroup(1, this.#paramGroup, [this.#launches * paramSlot]);
    this.#pass.dispatchWorkgroups(x, y);
    this.#launches += 1;
    this.#flops += flops;
    this.#clock?.launched(kernel.name, kernel.flops?.(params) ?? null);
    if (this.#clock?.eachLaunch) this.#endPass();
    const full = this.#flops >= this.launchFlops || this.#launches === paramSlots;
    if (full || this.#clock?.eachSubmission) await this.#submit();
  }

  /** Runs `work` and times its launches with the clock. Earlier launches finish first. */
  async timed<T>(clock: LaunchClock, work: () => Promise<T>): Promise<T> {
    await this.finish();
    this.#clock = clock;
    try {
      const result = await work();
      await this.finish();
      return result;
    } finally {
      this.#discard();
      this.#clock = null;
    }
  }

  /** Writes a buffer after the launches so far: the device queue's own write would overtake launches that are not submitted yet. */
  async write(
    buffer: GPUBuffer,
    data: Uint32Array<ArrayBuffer> | Float32Array<ArrayBuffer>,
    offset = 0,
  ): Promise<void> {
    await this.#submit();
    this.#context.device.queue.writeBuffer(buffer, offset, data);
  }

  /** Encodes a copy; offsets and size in bytes, multiples of 4. */
  copy(from: GPUBuffer, fromOffset: number, to: GPUBuffer, toOffset: number, bytes: number): void {
    this.#check();
    this.#encoder ??= this.#open();
    this.#endPass();
    this.#encoder.copyBufferToBuffer(from, fromOffset, to, toOffset, bytes);
  }

  /** Encodes zeros for the whole of a buffer. */
  clear(buffer: GPUBuffer): void {
    this.#check();
    this.#encoder ??= this.#open();
    this.#endPass();
    this.#encoder.clearBuffer(buffer);
  }

  /** Submits the commands encoded so far. What is written to the device's queue from now on comes after them. Waits while more than
   * one submission is under way. */
  submit(): Promise<void> {
    return this.#submit();
  }

  /**
   * Submits the commands encoded so far at once, without waiting. Other tasks may call it: the queue's own task hears of a failure
   * later, and the commands of a cancelled task are dropped anyway.
   */
  submitNow(): void {
    if (this.#context.failure !== null || this.#closed || this.#signal?.aborted) return;
    this.#send();
  }

  /** From here on the task at work cannot be cancelled. Its commands so far have been submitted when this resolves. */
  async refuseCancel(): Promise<void> {
    await this.#submit();
    this.#signal = undefined;
  }

  /** Submits the remaining commands and waits until the GPU has finished all. */
  async finish(): Promise<void> {
    await this.#submit();
    while (this.#underWay.length > 0) await this.#next();
  }

  /** The bytes of a buffer after all commands so far. */
  async read(buffer: GPUBuffer, bytes: number, offset = 0): Promise<ArrayBuffer> {
    const staging = await this.#staging(bytes);
    try {
      this.copy(buffer, offset, staging, 0, bytes);
      await this.finish();
      await staging.mapAsync(GPUMapMode.READ).catch(async (thrown: unknown) => {
        throw await gpuError(this.#context, thrown);
      });
      return staging.getMappedRange().slice(0);
    } finally {
      staging.destroy();
    }
  }

  /** A buffer that the page's memory can map. Rejects with 'out-of-memory'. */
  async #staging(bytes: number): Promise<GPUBuffer> {
    const { device } = this.#context;
    device.pushErrorScope('out-of-memory');
    const staging = device.createBuffer({ size: bytes, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    const error = await device.popErrorScope();
    if (error === null) return staging;
    staging.destroy();
    throw new LabError(
      'out-of-memory',
      `reading back: memory is full, ${bytes} more bytes are needed (${error.message}).`,
      'Close other tabs that use the GPU, or use fewer or shorter sequences.',
    );
  }

  /** Submits nothing more; submissions under way finish. */
  dispose(): void {
    this.#discard();
    this.#closed = true;
    this.#paramBuffer.destroy();
  }

  #open(): GPUCommandEncoder {
    return this.#context.device.createCommandEncoder();
  }

  #endPass(): void {
    this.#pass?.end();
    this.#pass = null;
  }

  #discard(): void {
    this.#endPass();
    this.#encoder = null;
    this.#launches = 0;
    this.#flops = 0;
  }

  #check(): void {
    if (this.#context.failure !== null) throw this.#context.failure;
    if (this.#closed) {
      throw new LabError('not-loaded', 'The engine was closed during this task.', 'Load the model again.');
    }
    throwIfAborted(this.#signal);
  }

  async #submit(): Promise<void> {
    this.#check();
    if (this.#encoder === null) return;
    this.#send();
    while (this.#underWay.length > 1) await this.#next();
  }

  /** Submits the encoded commands, if any. */
  #send(): void {
    if (this.#encoder === null) return;
    const { device } = this.#context;
    this.#endPass();
    // Queue operations run in order: writing the parameters does not disturb the submission before.
    if (this.#launches > 0) {
      device.queue.writeBuffer(this.#paramBuffer, 0, this.#paramBytes, 0, this.#launches * paramSlot);
    }
    device.pushErrorScope('validation');
    const settle = this.#clock?.close(this.#encoder);
    device.queue.submit([this.#encoder.finish()]);
    const validation = device.popErrorScope();
    const began = performance.now();
    const flops = this.#flops;
    this.#discard();
    const finished = device.queue.onSubmittedWorkDone().then(async () => {
      const now = performance.now();
      const milliseconds = now - Math.max(began, this.#lastFinished);
      this.#measure(flops, milliseconds);
      this.#lastFinished = now;
      const error = await validation;
      if (error !== null) throw toLabError(new Error(error.message));
      await settle?.(milliseconds);
    });
    // Whoever awaits the submission gets the failure; until then it must not count as unhandled.
    finished.catch(() => undefined);
    this.#underWay.push(finished);
  }

  /** Waits for the oldest submission. */
  async #next(): Promise<void> {
    try {
      await Promise.race([this.#underWay.shift(), this.#context.lost]);
    } catch (thrown) {
      throw await gpuError(this.#context, thrown);
    }
    this.#check();
  }

  /** Updates the measured speed without trusting a single sample. */
  #measure(flops: number, milliseconds: number): void {
    if (milliseconds <= 0 || flops < 1e6) return;
    const rate = (flops / milliseconds) * 1000;
    this.#rate = Math.min(Math.max(0.6 * this.#rate + 0.4 * rate, this.#rate / 4), this.#rate * 4);
  }
}
