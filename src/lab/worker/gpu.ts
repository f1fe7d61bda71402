/** @file The worker's one GPU device and the engine on it: opened when first needed, reopened after a loss. */

import type { DeviceLabel } from '../../benchmark/deviceLabel';
import { Engine } from '../../engine/engine';
import { NoAnswer } from '../../engine/gpu/answer';
import { type GpuContext, openDevice } from '../../engine/gpu/device';
import { anotherAborted, LabError, unlessAborted } from '../../errors';
import type { ModelShape } from '../../model/shape';
import { baseViewId, type ModelView } from '../../model/view';
import type { WeightSource } from '../../model/weights';
import type { DeviceInfo } from '../../report/facts';
import { SharedWork } from '../../shared';
import type { TaskOptions } from '../../task';
import type { EngineSettings } from '../contract/settings';
import { KernelTuning } from './kernelTuning';
import { OrtDevice } from './ortDevice';
import { ViewEngines } from './viewEngines';

/** The engine with what a result has to say of it. */
export interface EngineHandle {
  readonly engine: Engine;
  readonly label: DeviceLabel;
}

interface Weighted {
  readonly info: { readonly shape: ModelShape };
  readonly weights: WeightSource;
}

/** What a `Gpu` opens and makes. */
export interface GpuParts {
  readonly openDevice: typeof openDevice;
  readonly createEngine: typeof Engine.create;
  readonly createTuning: (settings: EngineSettings) => KernelTuning;
}

const realParts: GpuParts = {
  openDevice,
  createEngine: (...given) => Engine.create(...given),
  createTuning: (settings) => new KernelTuning(settings),
};

const browserGpu = (): GPU | undefined => (globalThis.navigator as Navigator | undefined)?.gpu;

export class Gpu {
  readonly #parts: GpuParts;
  #context: Promise<GpuContext | null> | null = null;
  #engine: SharedWork<Engine> | null = null;
  /** The engines of variants, on the base's. */
  readonly #views = new ViewEngines();
  #model: Weighted | null = null;
  #settings: EngineSettings = {};
  #tuning: KernelTuning;
  readonly #ortDevice: OrtDevice;
  /** The device that was lost last, and how. */
  #lost: { readonly info: DeviceInfo; readonly failure: LabError } | null = null;

  /** @param parts the lab's own unless given */
  constructor(parts: GpuParts = realParts) {
    this.#parts = parts;
    this.#tuning = parts.createTuning(this.#settings);
    this.#ortDevice = new OrtDevice((feature) => parts.openDevice(browserGpu(), { without: [feature] }));
  }

  /** How engines are made from now on. */
  configure(settings: EngineSettings): void {
    this.#settings = settings;
    this.#tuning = this.#parts.createTuning(settings);
  }

  /** Bytes that the engine may take for weights and kept states; null for as many as the GPU gives. */
  get memoryBytes(): number | null {
    return this.#settings.memoryBytes ?? null;
  }

  /** The same for engines from now on; the one that is open closes, and the next call opens another. */
  limitMemory(bytes: number | null): void {
    if (bytes === this.memoryBytes) return;
    const { memoryBytes: _, ...settings } = this.#settings;
    this.#settings = bytes === null ? settings : { ...settings, memoryBytes: bytes };
    this.#release();
  }

  /** Which kernels run. */
  get tuning(): KernelTuning {
    return this.#tuning;
  }

  /**
   * The open device, or null where the browser has none. After a loss a new one is asked for; while none comes, rejects
   * with 'device-lost', for a driver that is starting again is not a browser without WebGPU.
   */
  context(signal?: AbortSignal): Promise<GpuContext | null> {
    return unlessAborted(this.#opened(), signal, 'Waiting for the GPU');
  }

  #opened(): Promise<GpuContext | null> {
    if (this.#context) return this.#context;
    const opening = this.#openContext();
    this.#context = opening;
    opening.catch(() => {
      if (this.#context === opening) this.#context = null; // the next call tries again
    });
    return opening;
  }

  /** The device for ONNX Runtime's sessions, which need not be the engine's; null where the browser has none. */
  async ortContext(signal?: AbortSignal): Promise<GpuContext | null> {
    const context = await this.context(signal);
    return context && unlessAborted(this.#ortDevice.context(context), signal, 'Opening the GPU');
  }

  /** To be told that a session on `context` was wrong: whether `ortContext` now gives another device that may be right. */
  distrust(context: GpuContext): boolean {
    return this.#ortDevice.distrust(context);
  }

  async #openContext(): Promise<GpuContext | null> {
    const gpu = browserGpu();
    if (!gpu) return null;
    try {
      const context = await this.#parts.openDevice(gpu);
      void context.lost.then((failure) => {
        this.#lost = { info: context.info, failure };
        this.#context = null;
        this.#engine = null; // its buffers went with the device
        this.#views.clear();
        this.#tuning.close();
      });
      return context;
    } catch (thrown) {
      if (thrown instanceof LabError && thrown.code === 'no-webgpu') {
        console.warn(thrown.message);
        // An adapter that answers later serves from the next call on.
        if (thrown instanceof NoAnswer) void thrown.answered.then(() => this.#forgetAbsence());
        if (this.#lost === null) return null;
        throw new LabError(
          'device-lost',
          `${this.#lost.failure.message} The lab could not open a new one: ${thrown.message}`,
          'Wait a few seconds and start the task again. If it fails again, restart the browser; all stored data is kept.',
        );
      }
      throw thrown;
    }
  }

  /** The next call asks for a device again, unless one is open. */
  #forgetAbsence(): void {
    const asked = this.#context;
    void asked?.then(
      (context) => {
        if (context === null && this.#context === asked) this.#context = null;
      },
      () => undefined, // forgotten already
    );
  }

  /** What the device is called and can do; of the lost one while no other is there. */
  async device(): Promise<DeviceInfo | null> {
    try {
      const info = (await this.context())?.info ?? null;
      if (info === null) return null;
      const { halfPrecision, memoryBytes } = this.#settings;
      return {
        ...info,
        ...(halfPrecision === true && info.features.includes('shader-f16') ? { halfPrecision } : {}),
        ...(memoryBytes === undefined ? {} : { memoryBytes }),
      };
    } catch (thrown) {
      if (this.#lost !== null && thrown instanceof LabError && thrown.code === 'device-lost') return this.#lost.info;
      throw thrown;
    }
  }

  /** The model whose weights the engine holds from now on; those of the last one are freed. */
  use(model: Weighted): void {
    this.#release();
    this.#model = model;
  }

  #release(): void {
    this.#tuning.close();
    void this.#engine?.result.then(
      (engine) => engine.dispose(),
      () => undefined, // it never came to be: nothing to free
    );
    this.#engine = null;
    this.#views.clear(); // they end with the base's engine
  }

  /**
   * The engine with the model's weights on the GPU, uploaded at the first call; null without a GPU. All who wait share the
   * upload: each may leave at once, and it stops when all have left.
   * @param view the variant to run; the base unless given. Its engine opens at the first call and stays for the next ones.
   */
  async engine(task: TaskOptions, view?: ModelView): Promise<EngineHandle | null> {
    const context = await this.context(task.signal);
    const model = this.#model;
    if (!context || !model) return null;
    if (this.#engine === null || this.#engine.abandoned) this.#engine = this.#createEngine(context, model);
    const { adapter, software } = context.info;
    try {
      const waiting = 'Waiting for the weights on the GPU';
      const base = await this.#engine.join(task, waiting);
      const isBase = view === undefined || view.id === baseViewId;
      const engine = isBase ? base : await this.#views.of(base, view).join(task, waiting);
      const runtime = engine.tuning().inHalfPrecision ? 'WGSL engine, f16 matmuls' : 'WGSL engine';
      return { engine, label: { adapter, software, runtime } };
    } catch (thrown) {
      if (!anotherAborted(thrown, task.signal)) throw thrown;
      return this.engine(task, view);
    }
  }

  /** Frees what the GPU holds for a variant alone. */
  async close({ id }: ModelView): Promise<void> {
    await this.#views.close(id);
  }

  #createEngine(context: GpuContext, model: Weighted): SharedWork<Engine> {
    const created = new SharedWork((task) => this.#openEngine(context, model, task));
    created.result.then(
      (engine) => {
        if (this.#engine === created) this.#tuning.open(engine, context.info);
        else engine.dispose(); // everybody left, and another one took its place
      },
      () => {
        if (this.#engine === created) this.#engine = null; // cancelled or out of memory: the next call tries again
      },
    );
    return created;
  }

  async #openEngine(context: GpuContext, { info, weights }: Weighted, task: TaskOptions): Promise<Engine> {
    const { kernel, halfPrecision, memoryBytes } = this.#settings;
    const tuned = await this.#tuning.load(context.info);
    const options = { ...task, kernel, float16Matmuls: halfPrecision, memoryBytes, tuned };
    return this.#parts.createEngine(context, { shape: info.shape, weights }, options);
  }
}
