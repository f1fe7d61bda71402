/**
 * @file The engine: a model's weights on the GPU, and what one can ask of them.
 *
 * Every question takes layers as data: a list of LayerShapes whose `source` picks the weights, in any order and
 * number, with heads = 0 or ffn = 0 to pass a sub-block by. Calls queue behind one another on two lanes: short questions,
 * and analyses of the whole model.
 */

import { LabError } from '../errors';
import { type Feature, refuseFeatures } from '../model/features';
import type { LayerShape, ModelShape } from '../model/shape';
import type { DepthUnit } from '../model/unit';
import type { ModelView } from '../model/view';
import type { ColumnSums } from '../numerics/columnSums';
import type { TokenSequences } from '../numerics/tokens';
import type { TaskOptions } from '../task';
import { Turns } from '../turns';
import { Buffers } from './gpu/buffers';
import { CommandQueue } from './gpu/commandQueue';
import type { GpuContext } from './gpu/device';
import { pipelinesOf } from './gpu/pipelines';
import type { AnyTileName } from './kernels/backTile';
import { KernelChoice } from './kernels/kernelChoice';
import { classKey, classOf, type TunedClass } from './kernels/matmulClasses';
import { type CombinedPass, type CombinedPassOptions, combinedPass } from './measure/combinedPass';
import { type Divergence, type DivergenceOptions, divergence } from './measure/divergence';
import { type Outcome, orSayWhere } from './measure/nonFinite';
import {
  all,
  any,
  columnsOutcome,
  combinedOutcome,
  scoreOutcome,
  statisticsOutcome,
  subBlocksOutcome,
  taylorOutcome,
  widthOutcome,
} from './measure/outcomes';
import { type Profile, type ProfiledPass, type ProfileOptions, profile } from './measure/profile';
import { type Score, type ScoreOptions, score } from './measure/score';
import {
  type BlockStatistics,
  blockStatistics,
  magnitudes,
  type SubBlockInfluence,
  subBlockInfluence,
} from './measure/statistics';
import { removalSweep, type SweepOptions } from './measure/sweep';
import { type Taylor, type TaylorOptions, taylor } from './measure/taylor';
import { type BySubBlock, columnSums, type WidthStatistics, widthStatistics } from './measure/width';
import { Decoder, type DecoderOptions, type Run, TextPool } from './pass/decoder';
import { Forward } from './pass/forward';
import { type EngineParts, embedBatch } from './pass/runtime';
import { checkSequences, makeBatches } from './pass/sequences';
import { modelMatmuls } from './tuning/modelMatmuls';
import { type TuneOptions, type Tuning, tuneMatmul, tuneModel } from './tuning/tuner';
import type { BlockUse } from './weights/blockStore';
import { uploadWeights } from './weights/modelWeights';

export type {
  BlockStatistics,
  BySubBlock,
  CombinedPass as Survey,
  CombinedPassOptions as SurveyOptions,
  Divergence,
  DivergenceOptions,
  Profile,
  ProfiledPass,
  Score,
  Taylor,
  TaylorOptions,
  WidthStatistics,
};

/** Features that the kernels do not compute: none now. */
export const engineLacks: readonly Feature[] = [];

export interface EngineMemory {
  readonly liveBytes: number;
  readonly peakBytes: number;
  /** How many blocks' weights the GPU has room for, and what streamed because it has not for all. */
  readonly blocks: BlockUse;
  /** Counts the peak from now on. */
  resetPeak(): void;
}

/** Bounds that a test or a cautious host may lower. */
export interface EngineOptions extends TaskOptions {
  /**
   * Memory of the GPU for weights and for the inputs that a backward pass keeps, bytes. Blocks that do not fit stream,
   * inputs that do not fit wait in the worker's memory. Unless given, as much as the GPU gives.
   */
  memoryBytes?: number | undefined;
  /** Largest part of the embedding or head in one binding, bytes; the adapter's limit unless given. */
  vocabPartBytes?: number;
  /** Memory for the hidden states of one round of a removal sweep, bytes. */
  sweepBytes?: number;
  /** Memory for the logits' gradients of one stretch of the vocabulary, bytes. */
  logitBytes?: number;
  /** The tile of every product that can run in it, instead of the choice by measurement. */
  kernel?: string | undefined;
  /** Tiles that multiply in f16 may be measured and chosen, where the adapter has them: scores then change a little. */
  float16Matmuls?: boolean | undefined;
  /** What was measured before on this adapter, with these shaders and in this precision. */
  tuned?: readonly TunedClass[] | undefined;
}

/** How the products of the model are chosen. */
export interface ModelTuning {
  /** Measured classes of this model's products, the dearest first. */
  readonly classes: readonly TunedClass[];
  /** Classes that were not measured: they run in the static choice. */
  readonly left: number;
  /** The tile that all run in wherever they can; null where measurement decides. */
  readonly forced: AnyTileName | null;
  /** Some product is computed in f16. */
  readonly inHalfPrecision: boolean;
}

/** Parts that one task at a time has for itself. Tasks of different lanes share the GPU, submission by submission. */
interface Lane {
  parts: EngineParts;
  readonly turns: Turns;
}

/** Of a budget of memory: what the weights may take. The rest is for states of the stream. */
const weightShare = 0.75;

export class Engine {
  readonly shape: ModelShape;
  /** Short questions, whose asker waits: they do not queue behind an analysis of minutes. */
  readonly #answers: Lane;
  /** Passes over the whole model for the criteria. */
  readonly #analysis: Lane;
  /** Made with the first text. */
  #texts: TextPool | null = null;
  #disposed = false;

  /** Engines of other views. */
  readonly #views = new Set<Engine>();
  readonly #options: EngineOptions;

  private constructor(answers: EngineParts, analysis: EngineParts, options: EngineOptions) {
    this.#options = options;
    this.shape = answers.shape;
    this.#answers = { parts: answers, turns: new Turns() };
    this.#analysis = { parts: analysis, turns: new Turns() };
  }

  /** Uploads the weights of every block of the shape. Rejects with 'unsupported-architecture', 'out-of-memory', 'unsupported-limit' or 'bad-weights'. */
  static async create(context: GpuContext, model: Omit<ModelView, 'id'>, options: EngineOptions = {}): Promise<Engine> {
    if (context.failure !== null) throw context.failure;
    const { shape } = model;
    refuseFeatures(shape, engineLacks, 'the WGSL engine');
    const choice = new KernelChoice(context.info, options);
    choice.adopt(options.tuned ?? []);
    const buffers = new Buffers(context);
    try {
      const { memoryBytes } = options;
      const weightBytes = memoryBytes === undefined ? undefined : memoryBytes * weightShare;
      const weights = await uploadWeights(context, buffers, shape, model.weights, { ...options, weightBytes });
      const pipelines = pipelinesOf(context);
      const { maxBufferSize, maxStorageBufferBindingSize } = context.device.limits;
      const inputBytes = memoryBytes === undefined ? 2 ** 30 : memoryBytes * (1 - weightShare);
      const sweepBytes =
        options.sweepBytes ?? Math.min(2 ** 29, maxBufferSize / 4, maxStorageBufferBindingSize, inputBytes);
      const logitBytes = options.logitBytes ?? 2 ** 24;
      const lane = (pool: Buffers): EngineParts => {
        const queue = new CommandQueue(context, pipelines);
        const blocks = weights.blocks.reader(() => queue.submit());
        const parts = { context, shape, buffers: pool, queue, weights, blocks, choice };
        return { ...parts, forward: new Forward(parts), sweepBytes, inputBytes, logitBytes };
      };
      const answers = lane(buffers);
      await pipelines.prepare([...answers.forward.kernels()]);
      return new Engine(answers, lane(buffers.sibling()), options);
    } catch (thrown) {
      buffers.dispose();
      throw thrown;
    }
  }

  /**
   * The engine of another view. It shares the lanes and the memory budget with this one, and every weight that lies at the
   * same place. Close it.
   */
  async open(view: ModelView, task: TaskOptions = {}): Promise<Engine> {
    const { signal: _, onProgress: __, ...options } = this.#options;
    const engine = await Engine.create(this.#answers.parts.context, view, { ...options, ...task });
    this.#views.add(engine);
    return engine;
  }

  /** Frees what only this view uses. */
  async close(): Promise<void> {
    this.dispose();
  }

  /** Σ NLL of each window under the given layers. */
  score(layers: readonly LayerShape[], sequences: TokenSequences, options: ScoreOptions = {}): Promise<Score> {
    const measured = { what: 'The loss', layers, sequences };
    return this.#run(this.#answers, options, sequences, (parts) =>
      orSayWhere(parts, measured, score(parts, layers, sequences, options), scoreOutcome),
    );
  }

  /**
   * Mean NLL over all predicted tokens without each of the removals, from the whole model unless other layers are given; NaN
   * where the model without one is broken.
   */
  removalSweep(
    sequences: TokenSequences,
    removals: readonly DepthUnit[],
    options: SweepOptions = {},
  ): Promise<number[]> {
    const { layers = this.shape.layers } = options;
    const measured = { what: 'The losses without each unit', layers, sequences };
    return this.#run(this.#analysis, options, sequences, (parts) =>
      orSayWhere(parts, measured, removalSweep(parts, sequences, removals, options), any),
    );
  }

  /**
   * Mean KL(whole ‖ variant) in nats per predicted token, of each variant: layers of the whole model in their order, some
   * or parts of some left out; NaN for a variant that is broken. What variants have in common from the first block on is
   * computed once.
   */
  divergence(
    variants: readonly (readonly LayerShape[])[],
    sequences: TokenSequences,
    options: DivergenceOptions = {},
  ): Promise<Divergence> {
    return this.#finite(
      'The divergences',
      options,
      sequences,
      (parts) => divergence(parts, variants, sequences, options),
      ({ kl }) => any(kl),
    );
  }

  /** How much each block of the whole model turns the residual stream, and the last token's state at each boundary. */
  blockStatistics(sequences: TokenSequences, options: TaskOptions = {}): Promise<BlockStatistics> {
    return this.#finite(
      'Block statistics',
      options,
      sequences,
      (parts) => blockStatistics(parts, sequences, options),
      statisticsOutcome,
    );
  }

  /** How much each attention and each MLP of the whole model turns the residual stream. */
  subBlockInfluence(sequences: TokenSequences, options: TaskOptions = {}): Promise<SubBlockInfluence> {
    return this.#finite(
      'Influences',
      options,
      sequences,
      (parts) => subBlockInfluence(parts, sequences, options),
      subBlocksOutcome,
    );
  }

  /** Σ|W| over the projections and norms of each block. */
  magnitudes(options: TaskOptions = {}): Promise<number[]> {
    return this.#finite('Magnitudes', options, null, (parts) => magnitudes(parts, options), all);
  }

  /** Σ|W| and Σ W² of each column of oProj and downProj, by layer. */
  columnSums(options: TaskOptions = {}): Promise<BySubBlock<ColumnSums>[]> {
    return this.#finite('Sums of columns', options, null, (parts) => columnSums(parts, options), columnsOutcome);
  }

  /** What Wanda-sp and FLAP look at: every input channel of oProj and downProj over all tokens, and its column's sums. */
  widthStatistics(sequences: TokenSequences, options: TaskOptions = {}): Promise<WidthStatistics> {
    return this.#finite(
      'Width statistics',
      options,
      sequences,
      (parts) => widthStatistics(parts, sequences, options),
      widthOutcome,
    );
  }

  /** Σ|W ⊙ ∂L/∂W| of every weight of every block, for the mean loss over all predicted tokens. */
  taylor(sequences: TokenSequences, options: TaylorOptions = {}): Promise<Taylor> {
    return this.#finite('Taylor', options, sequences, (parts) => taylor(parts, sequences, options), taylorOutcome);
  }

  /**
   * Measures which tile each product of this model is fastest in, and uses it from then on. Other tasks come between
   * two classes of products; a cancelled one keeps what it found.
   */
  tune(options: TuneOptions = {}): Promise<Tuning> {
    const { parts } = this.#analysis;
    return tuneModel(parts, modelMatmuls(parts), options, async (matmul) => {
      await this.#answers.turns.idle(options.signal, 'Measuring kernels'); // nobody waits for an answer, and nothing disturbs the times
      return this.#run(this.#analysis, options, null, () => tuneMatmul(parts, matmul, options));
    });
  }

  /** How the products of this model are chosen: what was measured of them, and how many classes were not. */
  tuning(): ModelTuning {
    const { choice } = this.#analysis.parts;
    const keys = modelMatmuls(this.#analysis.parts).map((matmul) => classKey(classOf(matmul)));
    const known = new Map(choice.tuned.map((tuned) => [classKey(tuned), tuned] as const));
    const classes = keys.flatMap((key) => known.get(key) ?? []);
    const { forced = null, float16Matmuls: inHalfPrecision } = choice;
    return { classes, left: keys.length - classes.length, forced, inHalfPrecision };
  }

  /** All that was measured, now or before, of this model or others. */
  get tuned(): TunedClass[] {
    return this.#analysis.parts.choice.tuned;
  }

  /** Time per kernel of a pass over the whole model. */
  profile(pass: ProfiledPass, sequences: TokenSequences, options: ProfileOptions = {}): Promise<Profile> {
    return this.#run(this.#analysis, options, sequences, (parts) => profile(parts, pass, sequences, options));
  }

  /** What `taylor`, `blockStatistics`, `magnitudes` and, if wanted, `widthStatistics` tell, in one forward and one backward pass. */
  combinedPass(sequences: TokenSequences, options: CombinedPassOptions = {}): Promise<CombinedPass> {
    return this.#finite(
      'The survey',
      options,
      sequences,
      (parts) => combinedPass(parts, sequences, options),
      combinedOutcome,
    );
  }

  /** Logits of one sequence: [vocab] after its last token, or [tokens.length, vocab]. */
  logits(
    layers: readonly LayerShape[],
    tokens: readonly number[],
    rows: 'last' | 'all',
    options: TaskOptions = {},
  ): Promise<Float32Array> {
    return this.#run(this.#answers, options, [tokens], async (parts) => {
      const buffer = await residual(parts, layers, tokens);
      const first = rows === 'last' ? tokens.length - 1 : 0;
      return parts.forward.logits({ buffer, first, count: tokens.length - first });
    });
  }

  /** The residual stream [tokens.length, hidden] before layer `boundary` of the list; behind the last one for its length. */
  hidden(
    layers: readonly LayerShape[],
    tokens: readonly number[],
    boundary: number,
    options: TaskOptions = {},
  ): Promise<Float32Array> {
    return this.#run(this.#answers, options, [tokens], async (parts) => {
      const buffer = await residual(parts, layers.slice(0, boundary), tokens);
      return new Float32Array(await parts.queue.read(buffer, tokens.length * this.shape.hidden * 4));
    });
  }

  /**
   * A text in the making under the given layers, whose tokens so far are kept as keys and values. Each step of it is a task
   * by itself, so that other questions come between two tokens. Close it.
   */
  decoder(layers: readonly LayerShape[], options: DecoderOptions): Decoder {
    const { maxBufferSize, maxStorageBufferBindingSize } = this.#answers.parts.context.device.limits;
    const bindingBytes = Math.min(maxBufferSize, maxStorageBufferBindingSize);
    this.#texts ??= new TextPool(this.#answers.parts);
    const run: Run = (task, tokens, work) => this.#run(this.#answers, task, [tokens], work);
    return new Decoder(run, this.#texts, layers, bindingBytes, options);
  }

  memory(): EngineMemory {
    const { buffers, weights } = this.#answers.parts;
    const { liveBytes, peakBytes } = buffers.use();
    return { liveBytes, peakBytes, blocks: weights.blocks.use(), resetPeak: () => buffers.resetPeak() };
  }

  /** Frees everything. A call that is at work rejects. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const view of this.#views) view.dispose();
    this.#answers.parts.weights.blocks.dispose();
    for (const { parts } of [this.#answers, this.#analysis]) {
      parts.queue.dispose();
      parts.buffers.dispose();
    }
  }

  /** An analysis of the whole model whose numbers are given only where they are finite, as its outcome says. */
  #finite<T>(
    what: string,
    options: TaskOptions,
    sequences: TokenSequences | null,
    task: (parts: EngineParts) => Promise<T>,
    outcome: (result: T) => Outcome,
  ): Promise<T> {
    const measured = { what, layers: this.shape.layers, sequences };
    return this.#run(this.#analysis, options, sequences, (parts) => orSayWhere(parts, measured, task(parts), outcome));
  }

  /** One task at a time on a lane: its stream and pool belong to the task until it ends. Who waits for a turn may leave. */
  #run<T>(
    lane: Lane,
    options: TaskOptions,
    sequences: TokenSequences | null,
    task: (parts: EngineParts) => Promise<T>,
  ): Promise<T> {
    const run = async (): Promise<T> => {
      if (sequences !== null) checkSequences(sequences, this.shape.vocab);
      for (;;) {
        try {
          return await this.#attempt(lane.parts, options, task);
        } catch (thrown) {
          if (!(await this.#makeRoom(lane, thrown, options.signal))) throw thrown;
        }
      }
    };
    return lane.turns.take(run, options.signal, 'Waiting for the engine');
  }

  async #attempt<T>(parts: EngineParts, options: TaskOptions, task: (parts: EngineParts) => Promise<T>): Promise<T> {
    if (this.#disposed) throw new LabError('not-loaded', 'The engine is closed.', 'Load the model again.');
    const { blocks, buffers, queue } = parts;
    queue.begin(options.signal);
    try {
      return await task(parts);
    } finally {
      queue.begin(undefined);
      blocks.end();
      buffers.endTask();
    }
  }

  /**
   * After a task ran out of memory: fewer blocks on the GPU, and less of the stream, so that it may be tried again. False
   * for another failure, and where nothing is left to give.
   */
  async #makeRoom(lane: Lane, thrown: unknown, signal: AbortSignal | undefined): Promise<boolean> {
    if (!(thrown instanceof LabError && thrown.code === 'out-of-memory')) return false;
    if (!(await lane.parts.weights.blocks.shrink(signal))) return false;
    for (const each of [this.#answers, this.#analysis]) {
      const { inputBytes, sweepBytes } = each.parts;
      each.parts = { ...each.parts, inputBytes: inputBytes / 2, sweepBytes: sweepBytes / 2 };
    }
    return true;
  }
}

/** A taken buffer with the residual stream of one sequence behind the layers. */
async function residual(
  parts: EngineParts,
  layers: readonly LayerShape[],
  tokens: readonly number[],
): Promise<GPUBuffer> {
  const { buffers, forward, shape } = parts;
  const count = tokens.length;
  const [batch] = makeBatches([tokens], count);
  const buffer = await buffers.acquire(count * shape.hidden * 4, 'hidden');
  forward.follow(layers);
  await embedBatch(parts, batch!, buffer);
  for (const layer of layers) await forward.block(layer, { buffer, first: 0, count }, count);
  return buffer;
}
