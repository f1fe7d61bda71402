/**
 * @file The engine: a model's weights on the GPU, and what one can ask of them.
 *
 * Every question takes layers as data: a list of LayerShapes whose `source` picks the weights, in any order and
 * number, with heads = 0 or ffn = 0 to pass a sub-block by. Calls on one engine queue behind one another.
 */
import { LabError } from '../errors';
import type { LayerShape, ModelShape } from '../model/shape';
import type { WeightSource } from '../model/weights';
import type { TaskOptions } from '../task';
import { Buffers } from './buffers';
import type { GpuContext } from './device';
import { Forward } from './forward';
import { uploadWeights } from './modelWeights';
import { type EngineParts, embedBatch } from './runtime';
import { type Score, score } from './score';
import { type BlockStatistics, blockStatistics, magnitudes } from './statistics';
import { Stream } from './stream';
import { type Removal, removalSweep } from './sweep';
import { checkWindows, makeBatches } from './windows';

export type { BlockStatistics, Removal, Score };

export interface EngineMemory {
  readonly liveBytes: number;
  readonly peakBytes: number;
  /** Counts the peak from now on. */
  resetPeak(): void;
}

/** Bounds that a test or a cautious host may lower. */
export interface EngineOptions extends TaskOptions {
  /** Largest part of the embedding or head in one binding, bytes; the adapter's limit unless given. */
  vocabPartBytes?: number;
  /** Memory for the hidden states of one round of a removal sweep, bytes. */
  sweepBytes?: number;
}

export class Engine {
  readonly #parts: EngineParts;
  /** Settles when every call so far has. */
  #queue: Promise<unknown> = Promise.resolve();
  #disposed = false;

  private constructor(parts: EngineParts) {
    this.#parts = parts;
  }

  /** Uploads the weights of every block of the shape. Rejects with 'out-of-memory', 'unsupported-limit' or 'bad-weights'. */
  static async create(
    context: GpuContext,
    model: { shape: ModelShape; weights: WeightSource },
    options: EngineOptions = {},
  ): Promise<Engine> {
    if (context.failure !== null) throw context.failure;
    const { shape } = model;
    const buffers = new Buffers(context);
    const stream = new Stream(context);
    try {
      const weights = await uploadWeights(context, buffers, shape, model.weights, options);
      const forward = new Forward(context, buffers, stream, shape, weights);
      await forward.prepare();
      const { maxBufferSize, maxStorageBufferBindingSize } = context.device.limits;
      const sweepBytes = options.sweepBytes ?? Math.min(2 ** 29, maxBufferSize / 4, maxStorageBufferBindingSize);
      return new Engine({ context, shape, buffers, stream, weights, forward, sweepBytes });
    } catch (thrown) {
      stream.dispose();
      buffers.dispose();
      throw thrown;
    }
  }

  get shape(): ModelShape {
    return this.#parts.shape;
  }

  /** Σ NLL of each window under the given layers. */
  score(
    layers: readonly LayerShape[],
    windows: readonly (readonly number[])[],
    options: TaskOptions = {},
  ): Promise<Score> {
    return this.#run(options, windows, () => score(this.#parts, layers, windows, options));
  }

  /** Mean NLL over all predicted tokens without each of the removals from the whole model. */
  removalSweep(
    windows: readonly (readonly number[])[],
    removals: readonly Removal[],
    options: TaskOptions = {},
  ): Promise<number[]> {
    return this.#run(options, windows, () => removalSweep(this.#parts, windows, removals, options));
  }

  /** How much each block of the whole model turns the residual stream, and the last token's state at each boundary. */
  blockStatistics(windows: readonly (readonly number[])[], options: TaskOptions = {}): Promise<BlockStatistics> {
    return this.#run(options, windows, () => blockStatistics(this.#parts, windows, options));
  }

  /** Σ|W| over the projections and norms of each block. */
  magnitudes(options: TaskOptions = {}): Promise<number[]> {
    return this.#run(options, null, () => magnitudes(this.#parts, options));
  }

  /** Logits of one sequence: [vocab] after its last token, or [tokens.length, vocab]. */
  logits(
    layers: readonly LayerShape[],
    tokens: readonly number[],
    rows: 'last' | 'all',
    options: TaskOptions = {},
  ): Promise<Float32Array> {
    return this.#run(options, [tokens], async () => {
      const buffer = await this.#forward(layers, tokens);
      const first = rows === 'last' ? tokens.length - 1 : 0;
      return this.#parts.forward.logits({ buffer, first, count: tokens.length - first });
    });
  }

  /** The residual stream [tokens.length, hidden] before layer `boundary` of the list; behind the last one for its length. */
  hidden(
    layers: readonly LayerShape[],
    tokens: readonly number[],
    boundary: number,
    options: TaskOptions = {},
  ): Promise<Float32Array> {
    return this.#run(options, [tokens], async () => {
      const buffer = await this.#forward(layers.slice(0, boundary), tokens);
      return new Float32Array(await this.#parts.stream.read(buffer, tokens.length * this.shape.hidden * 4));
    });
  }

  memory(): EngineMemory {
    const { buffers } = this.#parts;
    const { liveBytes, peakBytes } = buffers.use();
    return { liveBytes, peakBytes, resetPeak: () => buffers.resetPeak() };
  }

  /** Frees everything. A call that is at work rejects. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#parts.stream.dispose();
    this.#parts.buffers.dispose();
  }

  /** A taken buffer with the residual stream behind the layers. */
  async #forward(layers: readonly LayerShape[], tokens: readonly number[]): Promise<GPUBuffer> {
    const { buffers, forward, shape } = this.#parts;
    const count = tokens.length;
    const [batch] = makeBatches([tokens], count);
    const buffer = await buffers.take(count * shape.hidden * 4, 'hidden');
    await embedBatch(this.#parts, batch!, buffer);
    for (const layer of layers) await forward.block(layer, { buffer, first: 0, count }, count);
    return buffer;
  }

  /** One task at a time: the stream and the pool belong to it until it ends. */
  #run<T>(options: TaskOptions, windows: readonly (readonly number[])[] | null, task: () => Promise<T>): Promise<T> {
    const { buffers, shape, stream } = this.#parts;
    const result = this.#queue.then(async () => {
      if (this.#disposed) {
        throw new LabError('not-loaded', 'The engine is closed.', 'Load the model again.');
      }
      if (windows !== null) checkWindows(windows, shape.vocab);
      stream.begin(options.signal);
      try {
        return await task();
      } finally {
        stream.begin(undefined);
        buffers.endTask();
      }
    });
    this.#queue = result.catch(() => undefined);
    return result;
  }
}
