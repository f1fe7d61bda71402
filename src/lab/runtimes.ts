/** @file Which runtime answers what: the WGSL engine for perplexity at once, ONNX Runtime for what would be deployed. */
import { generateTokens } from '../benchmark/generate';
import { measureLatency } from '../benchmark/latency';
import { measurePaired, type PairedMeasurement } from '../benchmark/paired';
import { measurePerplexity } from '../benchmark/perplexity';
import { selfCheck, selfCheckTokens } from '../benchmark/selfCheck';
import type { OpenOptions, OrtRuntime, OrtSession } from '../benchmark/session';
import { LabError } from '../errors';
import type { DeviceLabel } from '../importance/types';
import { refuseNonFiniteWeights } from '../model/finiteWeights';
import type { ModelShape } from '../model/shape';
import { createRandom, randomInt } from '../numerics/random';
import type { TaskOptions } from '../task';
import type { Gpu } from './gpu';
import type { OpenModel } from './models';
import { SessionPool } from './sessionPool';
import type { GenerateOptions, GenerateResult, LatencyRequest, LatencyResult, Runtime } from './types';
import type { Windows } from './windows';

interface Likelihood {
  meanNll: number;
  tokens: number;
  /** Of the passes alone: opening a session or uploading weights does not count. */
  milliseconds: number;
  device: DeviceLabel;
}

/** Repetitions where a run takes milliseconds, and where a software adapter emulates the GPU. */
const repetitions = { real: { warmups: 3, runs: 10 }, emulated: { warmups: 1, runs: 3 } };
/** Pairs that an emulated benchmark of two variants makes: an even number, so that either is first as often. */
const emulatedPairs = 4;

export class Runtimes {
  readonly #model: OpenModel;
  readonly #gpu: Gpu;
  readonly #pool: SessionPool;

  constructor(model: OpenModel, gpu: Gpu) {
    this.#model = model;
    this.#gpu = gpu;
    this.#pool = new SessionPool(() => gpu.memoryBytes);
  }

  async perplexity(runtime: Runtime, shape: ModelShape, windows: Windows, task: TaskOptions): Promise<Likelihood> {
    if (runtime === 'wgsl') return this.#engineLikelihood(shape, windows, task);
    if (runtime !== 'ort-wasm' && runtime !== 'ort-webgpu') throw unknownRuntime(runtime);
    const { firstTargets } = windows;
    return this.#session(runtime, shape, task, async (session) => {
      const { meanNll, tokens, milliseconds, device } = await measurePerplexity(session, windows.tokens, {
        ...task,
        firstTargets,
      });
      return { meanNll, tokens, milliseconds, device };
    });
  }

  async #engineLikelihood(shape: ModelShape, windows: Windows, task: TaskOptions): Promise<Likelihood> {
    const handle = await this.#gpu.engine(task);
    if (!handle) {
      throw new LabError(
        'no-webgpu',
        'The WGSL engine needs WebGPU, which this browser does not offer.',
        "Use runtime 'ort-wasm'.",
      );
    }
    const { firstTargets } = windows;
    const started = performance.now();
    const { sumNll, tokens } = await handle.engine.score(shape.layers, windows.tokens, { ...task, firstTargets });
    const milliseconds = performance.now() - started;
    return { meanNll: sumNll.reduce((a, b) => a + b, 0) / tokens, tokens, milliseconds, device: handle.label };
  }

  async latency(
    shape: ModelShape,
    request: Omit<LatencyRequest, keyof TaskOptions>,
    task: TaskOptions,
  ): Promise<LatencyResult[]> {
    const { runtime, counts } = await this.#repetitions(request);
    return this.#session(runtime, shape, task, (session) =>
      measureLatency(session, { ...counts, ...request, ...task }),
    );
  }

  /** Both in turns. */
  async pairedLatency(
    shape: ModelShape,
    reference: ModelShape,
    request: Omit<LatencyRequest, keyof TaskOptions>,
    task: TaskOptions,
  ): Promise<PairedMeasurement[]> {
    const { runtime, counts } = await this.#repetitions(request);
    const pairs = counts === repetitions.emulated ? { runs: emulatedPairs } : {};
    return measurePaired(
      (work) => this.#session(runtime, reference, task, work),
      (work) => this.#session(runtime, shape, task, work),
      { ...counts, ...pairs, ...request, ...task },
    );
  }

  async #repetitions(request: Omit<LatencyRequest, keyof TaskOptions>) {
    const device = await this.#gpu.device();
    const hardware = device !== null && !device.software;
    const runtime = request.runtime ?? (hardware ? 'ort-webgpu' : 'ort-wasm');
    if (runtime !== 'ort-wasm' && runtime !== 'ort-webgpu') {
      const message = `latency: expected runtime 'ort-wasm' or 'ort-webgpu', got '${runtime}'.`;
      throw new LabError('bad-argument', message, 'The WGSL engine is for analysis: it keeps no cache.');
    }
    const emulated = runtime === 'ort-webgpu' && !hardware;
    const counts = emulated ? repetitions.emulated : repetitions.real;
    return { runtime, counts };
  }

  async generate(
    shape: ModelShape,
    prompt: string,
    options: Omit<GenerateOptions, keyof TaskOptions>,
    task: TaskOptions,
  ): Promise<GenerateResult> {
    const tokenizer = this.#model.requireTokenizer();
    const { temperature = 0, newTokens = 64, seed = 0, runtime = 'ort-wasm' } = options;
    if (runtime !== 'ort-wasm' && runtime !== 'ort-webgpu') throw unknownRuntime(runtime);
    const prefix = await this.#model.promptIds(prompt, task.signal);
    const tokenIds = await this.#session(runtime, shape, task, (session) =>
      generateTokens(session, prefix, {
        ...task,
        temperature,
        topK: options.topK,
        topP: options.topP,
        newTokens,
        seed,
        stopTokens: this.#model.endsOfText,
      }),
    );
    return { text: await tokenizer.decode(tokenIds), tokenIds };
  }

  async #session<T>(
    runtime: OrtRuntime,
    shape: ModelShape,
    task: TaskOptions,
    work: (session: OrtSession) => Promise<T>,
  ): Promise<T> {
    await refuseNonFiniteWeights(shape, this.#model.weights, task);
    const context = runtime === 'ort-webgpu' ? await this.#gpu.context(task.signal) : null;
    const options: OpenOptions = {
      shape,
      weights: this.#model.weights,
      runtime,
      device: context?.device,
      adapter: context?.info,
      signal: task.signal,
    };
    // Others may wait for the same session: its check is not the first one's to cancel.
    const check = (session: OrtSession, signal: AbortSignal) =>
      runtime === 'ort-webgpu' ? this.#check(session, { ...task, signal }) : Promise.resolve();
    return this.#pool.use(options, check, work);
  }

  /** No WebGPU number before the same tokens gave the same likelihood on the WGSL engine. */
  async #check(session: OrtSession, task: TaskOptions): Promise<void> {
    const handle = await this.#gpu.engine(task);
    if (!handle) return;
    const { shape } = session;
    const length = selfCheckTokens(shape);
    const random = createRandom(length);
    const windows = [Array.from({ length }, () => randomInt(random, shape.vocab))];
    const { sumNll, tokens } = await handle.engine.score(shape.layers, windows, task);
    await selfCheck(session, windows, [sumNll[0]! / tokens], task);
  }

  /** Frees the ONNX Runtime sessions of a shape. */
  async discard(shape: ModelShape): Promise<void> {
    await this.#pool.discard(shape);
  }

  /** Frees every ONNX Runtime session; what is asked next opens its own. */
  async clear(): Promise<void> {
    await this.#pool.clear();
  }

  /** Frees every ONNX Runtime session; none opens any more. */
  async dispose(): Promise<void> {
    await this.#pool.dispose();
  }
}

function unknownRuntime(runtime: string): LabError {
  const message = `runtime: expected 'wgsl', 'ort-webgpu' or 'ort-wasm', got '${runtime}'.`;
  return new LabError('bad-argument', message, "Leave 'runtime' out for the default.");
}
