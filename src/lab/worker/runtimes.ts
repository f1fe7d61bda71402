/** @file Which runtime answers what: the WGSL engine for perplexity and text at once, ONNX Runtime for what would be deployed. */

import { type ComparedBatch, type ComparedListener, measureCompared } from '../../benchmark/comparedSessions';
import type { DeviceLabel } from '../../benchmark/deviceLabel';
import { checkFloat16, sequencesToCheck } from '../../benchmark/float16Check';
import { latencyCounts, measureLatency } from '../../benchmark/latency';
import { measurePaired, type PairedMeasurement } from '../../benchmark/paired';
import { measurePerplexity } from '../../benchmark/perplexity';
import {
  type GraphPrecision,
  type PrecisionFacts,
  type PrecisionRequest,
  precisionFor,
} from '../../benchmark/precision';
import type { WithSession } from '../../benchmark/rounds';
import { selfCheck, selfCheckTokens } from '../../benchmark/selfCheck';
import type { OpenOptions, OrtRuntime, OrtSession } from '../../benchmark/session';
import type { GpuContext } from '../../engine/gpu/device';
import { LabError } from '../../errors';
import { cacheBytes, modelParameters } from '../../model/count';
import { refuseNonFiniteWeights } from '../../model/finiteWeights';
import type { ModelView } from '../../model/view';
import { createRandom, randomInt } from '../../numerics/random';
import type { TokenSequences } from '../../numerics/tokens';
import type { LatencyResult, Runtime } from '../../report/results';
import type { TaskOptions } from '../../task';
import type { GenerateOptions, GenerateResult, LatencyRequest } from '../contract/types';
import type { Plain } from '../contract/workerSession';
import type { EngineHandle, Gpu } from './gpu';
import type { OpenModel } from './models';
import type { Sequences } from './sequences';
import { fitTogether } from './sessionBudget';
import { type OpenSession, SessionPool } from './sessionPool';
import type { ViewListener } from './variants';
import { type Writers, writeText, writingRuntime } from './writing';

interface Likelihood {
  meanNll: number;
  tokens: number;
  /** Of the passes alone: opening a session or uploading weights does not count. */
  milliseconds: number;
  device: DeviceLabel;
  /** Of ONNX Runtime's sessions. */
  precision?: GraphPrecision;
}

/** Sequences of tokens of a text that users wrote. */
type RealText = () => Promise<TokenSequences>;

interface Wanted {
  readonly runtime: OrtRuntime;
  readonly view: ModelView;
  readonly precision?: PrecisionRequest;
  /** What a session in f16 is checked on. */
  readonly text?: RealText;
}

/** Repetitions where a run takes milliseconds, and where a software adapter emulates the GPU. */
const repetitions = { real: { warmups: 3, runs: 10 }, emulated: { warmups: 1, runs: 3 } };
/** Pairs that an emulated benchmark of two variants makes: an even number, so that either is first as often. */
const emulatedPairs = 4;

export class Runtimes implements ViewListener {
  readonly #model: OpenModel;
  readonly #gpu: Gpu;
  readonly #pool: SessionPool;

  /** @param open makes sessions; ONNX Runtime's unless given */
  constructor(model: OpenModel, gpu: Gpu, open?: OpenSession) {
    this.#model = model;
    this.#gpu = gpu;
    this.#pool = new SessionPool(() => gpu.memoryBytes, open);
  }

  async perplexity(
    runtime: Runtime,
    view: ModelView,
    sequences: Sequences,
    task: TaskOptions,
    precision: PrecisionRequest = 'exact',
  ): Promise<Likelihood> {
    if (runtime === 'wgsl') return this.#engineLikelihood(view, sequences, task);
    if (runtime !== 'ort-wasm' && runtime !== 'ort-webgpu') throw unknownRuntime(runtime);
    const { firstTargets } = sequences;
    const text = async () => sequences.tokens;
    return this.#session({ runtime, view, precision, text }, task, async (session) => {
      const measured = await measurePerplexity(session, sequences.tokens, { ...task, firstTargets });
      const { meanNll, tokens, milliseconds, device } = measured;
      return { meanNll, tokens, milliseconds, device, precision: measured.precision };
    });
  }

  async #engineLikelihood(view: ModelView, sequences: Sequences, task: TaskOptions): Promise<Likelihood> {
    const handle = await this.#engine(view, task);
    const { firstTargets } = sequences;
    const started = performance.now();
    const { sumNll, tokens } = await handle.engine.score(view.shape.layers, sequences.tokens, {
      ...task,
      firstTargets,
    });
    const milliseconds = performance.now() - started;
    return { meanNll: sumNll.reduce((a, b) => a + b, 0) / tokens, tokens, milliseconds, device: handle.label };
  }

  /** Σ NLL of each sequence's tokens from its first target on, in nats. Rejects with 'no-webgpu' as `perplexity` does. */
  async sumLosses(
    runtime: Runtime,
    view: ModelView,
    tokens: TokenSequences,
    firstTargets: readonly number[],
    task: TaskOptions,
  ): Promise<{ readonly sums: readonly number[]; readonly milliseconds: number; readonly device: DeviceLabel }> {
    if (runtime === 'wgsl') {
      const handle = await this.#engine(view, task);
      const started = performance.now();
      const { sumNll } = await handle.engine.score(view.shape.layers, tokens, { ...task, firstTargets });
      return { sums: sumNll, milliseconds: performance.now() - started, device: handle.label };
    }
    if (runtime !== 'ort-wasm' && runtime !== 'ort-webgpu') throw unknownRuntime(runtime);
    return this.#session({ runtime, view }, task, async (session) => {
      const measured = await measurePerplexity(session, tokens, { ...task, firstTargets });
      const sums = measured.sequenceNll.map((mean, index) => mean * (tokens[index]!.length - firstTargets[index]!));
      return { sums, milliseconds: measured.milliseconds, device: measured.device };
    });
  }

  /** Rejects with 'no-webgpu' where there is none. */
  async #engine(view: ModelView, task: TaskOptions): Promise<EngineHandle> {
    const handle = await this.#gpu.engine(task, view);
    if (handle) return handle;
    throw new LabError(
      'no-webgpu',
      'The WGSL engine needs WebGPU, and this browser has none.',
      "Use runtime 'ort-wasm'.",
    );
  }

  async latency(
    view: ModelView,
    request: Plain<LatencyRequest>,
    task: TaskOptions,
    text: RealText,
  ): Promise<LatencyResult[]> {
    const { runtime, precision, counts } = await this.#repetitions(request);
    return this.#session({ runtime, view, precision, text }, task, (session) =>
      measureLatency(session, { ...counts, ...request, ...task }),
    );
  }

  /** Both alternately. */
  async pairedLatency(
    view: ModelView,
    reference: ModelView,
    request: Plain<LatencyRequest>,
    task: TaskOptions,
    text: RealText,
  ): Promise<PairedMeasurement[]> {
    const { runtime, precision, counts } = await this.#repetitions(request);
    const pairs = counts === repetitions.emulated ? { runs: emulatedPairs } : {};
    return measurePaired(
      (work) => this.#session({ runtime, view: reference, precision, text }, task, work),
      (work) => this.#session({ runtime, view, precision, text }, task, work),
      { ...counts, ...pairs, ...request, ...task },
    );
  }

  /**
   * All in rounds, the first one as the reference, in exact arithmetic. One at a time where the sessions would take more memory
   * together than the runtime may have.
   */
  async comparedLatency(
    views: readonly ModelView[],
    request: Plain<LatencyRequest>,
    task: TaskOptions,
    listener: ComparedListener,
  ): Promise<ComparedBatch[]> {
    const { runtime, counts } = await this.#repetitions(request);
    const rounds = counts === repetitions.emulated ? { runs: emulatedPairs } : {};
    const options = { ...counts, ...rounds, ...request, ...task };
    const sessions = views.map(
      (view): WithSession =>
        (work) =>
          this.#session({ runtime, view }, task, work),
    );
    const context = runtime === 'ort-webgpu' ? await this.#gpu.ortContext(task.signal) : null;
    const precision = precisionFor('exact', this.#facts(runtime, context));
    const { promptTokens, newTokens, batchSizes } = latencyCounts(options);
    const sizes = views.map(({ shape }) => ({
      weights: modelParameters(shape) * (precision === 'f32' ? 4 : 2),
      cache: cacheBytes(shape, promptTokens + newTokens) * Math.max(...batchSizes),
    }));
    const sideBySide = fitTogether(runtime, sizes, this.#gpu.memoryBytes);
    return measureCompared(sessions, { ...options, sideBySide: sideBySide ? undefined : false }, listener);
  }

  async #repetitions(request: Plain<LatencyRequest>) {
    const { precision = 'exact' } = request;
    const device = await this.#gpu.device();
    const hardware = device !== null && !device.software;
    const runtime = request.runtime ?? (hardware || precision === 'f16' ? 'ort-webgpu' : 'ort-wasm');
    if (runtime !== 'ort-wasm' && runtime !== 'ort-webgpu') {
      const message = `latency: expected runtime 'ort-wasm' or 'ort-webgpu', got '${runtime}'.`;
      throw new LabError(
        'bad-argument',
        message,
        'The WGSL engine is for analysis only. Latency is measured with ONNX Runtime, as in deployment.',
      );
    }
    const emulated = runtime === 'ort-webgpu' && !hardware;
    const counts = emulated ? repetitions.emulated : repetitions.real;
    return { runtime, precision, counts };
  }

  /** Has an ONNX Runtime session of a view open, in exact arithmetic, while work runs. */
  withSession(view: ModelView, runtime: OrtRuntime, task: TaskOptions): WithSession {
    return (work) => this.#session({ runtime, view }, task, work);
  }

  /** What times are measured in unless another runtime is asked for, and whether software emulates its GPU. */
  async timing(asked?: OrtRuntime): Promise<{ runtime: OrtRuntime; emulated: boolean }> {
    const { runtime, counts } = await this.#repetitions(asked === undefined ? {} : { runtime: asked });
    return { runtime, emulated: counts === repetitions.emulated };
  }

  async generate(
    view: ModelView,
    prompt: string,
    options: Plain<GenerateOptions>,
    task: TaskOptions,
  ): Promise<GenerateResult> {
    const runtime = options.runtime ?? writingRuntime(view.shape, await this.#gpu.device());
    const writers: Writers = {
      session: (chosen, work) => this.#session({ runtime: chosen, view }, task, work),
      engine: () => this.#engine(view, task),
    };
    return writeText(this.#model, view.shape, writers, prompt, { ...options, runtime }, task);
  }

  async #session<T>(wanted: Wanted, task: TaskOptions, work: (session: OrtSession) => Promise<T>): Promise<T> {
    const { runtime, view, precision: asked = 'exact', text } = wanted;
    const { shape, weights } = view;
    await refuseNonFiniteWeights(shape, weights, task);
    const context = runtime === 'ort-webgpu' ? await this.#gpu.ortContext(task.signal) : null;
    const precision = precisionFor(asked, this.#facts(runtime, context));
    const options: OpenOptions = {
      shape,
      weights,
      runtime,
      device: context?.device,
      adapter: context?.info,
      precision,
      ...task,
    };
    // Others may wait for the same session: its check is not the first one's to cancel.
    const check = async (session: OrtSession, signal: AbortSignal): Promise<void> => {
      if (runtime !== 'ort-webgpu') return;
      if (precision === 'f16') await this.#checkHalf(session, view, text, { ...task, signal });
      else await this.#check(session, view, { ...task, signal });
    };
    try {
      return await this.#pool.use(view.id, options, check, work);
    } catch (thrown) {
      // The fault that checks were made for comes with subgroups: the device is opened without them before giving up.
      const wrong = thrown instanceof LabError && thrown.code === 'self-check' && precision !== 'f16';
      if (!wrong || !context || !this.#gpu.distrust(context)) throw thrown;
      return await this.#session(wanted, task, work);
    }
  }

  #facts(runtime: OrtRuntime, context: GpuContext | null): PrecisionFacts {
    const { shape, dtype } = this.#model.info;
    const { maxStorageBufferBindingSize: binding, maxBufferSize: buffer } = context?.info.limits ?? {};
    const bindingBytes = binding === undefined || buffer === undefined ? null : Math.min(binding, buffer);
    const features = context?.info.features ?? [];
    return { runtime, shape, dtype, features, bindingBytes, memoryBytes: this.#gpu.memoryBytes };
  }

  /** No number in f16 before it gave real text the likelihood that the engine gives it. */
  async #checkHalf(session: OrtSession, view: ModelView, text: RealText | undefined, task: TaskOptions): Promise<void> {
    const handle = await this.#gpu.engine(task, view);
    if (!handle || !text) return;
    const sequences = sequencesToCheck(await text());
    const { sumNll } = await handle.engine.score(session.shape.layers, sequences, task);
    const reference = sequences.map(({ length }, sequence) => sumNll[sequence]! / (length - 1));
    await checkFloat16(session, sequences, reference, task);
  }

  /** No WebGPU number before the same tokens gave the same likelihood on the WGSL engine. */
  async #check(session: OrtSession, view: ModelView, task: TaskOptions): Promise<void> {
    const handle = await this.#gpu.engine(task, view);
    if (!handle) return;
    const { shape } = session;
    const length = selfCheckTokens(shape);
    const random = createRandom(length);
    const sequences = [Array.from({ length }, () => randomInt(random, shape.vocab))];
    const { sumNll, tokens } = await handle.engine.score(shape.layers, sequences, task);
    await selfCheck(session, sequences, [sumNll[0]! / tokens], task);
  }

  /** Frees the ONNX Runtime sessions of a variant and what the engine holds for it alone, behind what they are at. */
  gone(view: ModelView): void {
    const failed = (thrown: unknown): void => console.warn('What a variant held could not be released.', thrown);
    this.#pool.discard(view.id).catch(failed);
    this.#gpu.close(view).catch(failed);
  }

  /** The sessions that were opened for an unlisted variant stay with it when it is listed. */
  renamed(from: ModelView, to: ModelView): void {
    this.#pool.rename(from.id, to.id);
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
  return new LabError('bad-argument', message, "Omit 'runtime' for the default.");
}
