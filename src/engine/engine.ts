/**
 * @file The engine of one view of a model: its weights on the GPU, and everything that can be measured with them.
 *
 * Layers are data: a list of LayerShapes whose `source` picks the weights, in any order and number, with heads = 0 or ffn = 0
 * to skip a sub-block. Calls wait for one another on two lanes: one for short questions, one for analyses of all layers. The
 * base's engine opens those of its variants, which share the lanes and the memory with it.
 */

import { LabError } from '../errors';
import { type Feature, refuseFeatures } from '../model/features';
import type { LayerShape, ModelShape } from '../model/shape';
import type { DepthUnit } from '../model/unit';
import { baseViewId, type ModelView } from '../model/view';
import type { ColumnSums } from '../numerics/columnSums';
import type { TokenSequences } from '../numerics/tokens';
import type { TaskOptions } from '../task';
import type { GpuContext } from './gpu/device';
import { classKey, classOf, type TunedClass } from './kernels/matmulClasses';
import { Lanes } from './lanes';
import { type CapturePoint, type CaptureSink, capture } from './measure/capture';
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
import {
  type BySubBlock,
  columnSums,
  type WidthStatistics,
  type WidthStatisticsOptions,
  widthStatistics,
} from './measure/width';
import { type KeepChoice, type KeptChannels, widthInSequence } from './measure/widthInSequence';
import { OpenView } from './openView';
import type { EngineMemory, EngineOptions, ModelTuning } from './options';
import { Decoder, type DecoderOptions, type Run, TextPool } from './pass/decoder';
import { type EngineParts, embedBatch } from './pass/runtime';
import { makeBatches } from './pass/sequences';
import type { LoraTraining } from './train/loraSetting';
import { LoraTrainer } from './train/loraTrainer';
import { type RunStep, Trainer, type TrainerParts } from './train/trainer';
import { modelMatmuls } from './tuning/modelMatmuls';
import { type TuneOptions, type Tuning, tuneMatmul, tuneModel } from './tuning/tuner';

export type {
  BlockStatistics,
  BySubBlock,
  CapturePoint,
  CaptureSink,
  CombinedPass as Survey,
  CombinedPassOptions as SurveyOptions,
  Divergence,
  DivergenceOptions,
  KeepChoice,
  KeptChannels,
  Profile,
  ProfiledPass,
  Score,
  Taylor,
  TaylorOptions,
  WidthStatistics,
};

/** Features that the kernels do not compute: none now. */
export const engineLacks: readonly Feature[] = [];

export type { EngineMemory, EngineOptions, ModelTuning };

export class Engine {
  readonly shape: ModelShape;
  readonly #view: OpenView;
  readonly #lanes: Lanes;
  /** Made with the first text. */
  #texts: TextPool | null = null;

  private constructor(view: OpenView) {
    this.shape = view.view.shape;
    this.#view = view;
    this.#lanes = view.lanes;
  }

  /**
   * The engine of an unpruned model, whose weights it uploads as far as they fit. Rejects with 'unsupported-architecture',
   * 'out-of-memory', 'unsupported-limit' or 'bad-weights'.
   */
  static async create(context: GpuContext, model: Omit<ModelView, 'id'>, options: EngineOptions = {}): Promise<Engine> {
    if (context.failure !== null) throw context.failure;
    refuseFeatures(model.shape, engineLacks, 'the WGSL engine');
    const lanes = new Lanes(context, options);
    try {
      const { signal, onProgress } = options;
      return new Engine(await OpenView.open(lanes, { ...model, id: baseViewId }, { signal, onProgress }, true));
    } catch (thrown) {
      lanes.dispose();
      throw thrown;
    }
  }

  /**
   * The engine of another view, e.g. a variant. It shares lanes, pipelines and the memory budget with this engine, and every block,
   * embedding and head whose tensors are stored at the same places; it uploads what it does not share. Close it. Rejects as `create`
   * does, and with 'not-loaded' if this engine is closed.
   */
  async open(view: ModelView, task: TaskOptions = {}): Promise<Engine> {
    const { context } = this.#lanes;
    if (context.failure !== null) throw context.failure;
    if (this.#lanes.disposed) throw new LabError('not-loaded', 'The engine is closed.', 'Load the model again.');
    refuseFeatures(view.shape, engineLacks, 'the WGSL engine');
    return new Engine(await OpenView.open(this.#lanes, view, task));
  }

  /** Σ NLL of each sequence under the given layers. */
  score(layers: readonly LayerShape[], sequences: TokenSequences, options: ScoreOptions = {}): Promise<Score> {
    const measured = { what: 'The loss', layers, sequences };
    return this.#view.run('answers', options, sequences, (parts) =>
      orSayWhere(parts, measured, score(parts, layers, sequences, options), scoreOutcome),
    );
  }

  /**
   * Mean NLL over all predicted tokens without each of the units, one at a time, from the view's layers unless others are given. NaN
   * if the model without a unit gives no finite number.
   */
  removalSweep(
    sequences: TokenSequences,
    removals: readonly DepthUnit[],
    options: SweepOptions = {},
  ): Promise<number[]> {
    const { layers = this.shape.layers } = options;
    const measured = { what: 'The losses without each unit', layers, sequences };
    return this.#view.run('analysis', options, sequences, (parts) =>
      orSayWhere(parts, measured, removalSweep(parts, sequences, removals, options), any),
    );
  }

  /**
   * Mean KL(this view ‖ variant) in nats per predicted token, for each variant. A variant is this view's layers in their order,
   * without some blocks or sub-blocks; NaN for a variant that gives no finite number. The first layers that variants have in
   * common are computed once.
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

  /** How much each block changes the direction of the residual, and the last token's state at each boundary. */
  blockStatistics(sequences: TokenSequences, options: TaskOptions = {}): Promise<BlockStatistics> {
    return this.#finite(
      'Block statistics',
      options,
      sequences,
      (parts) => blockStatistics(parts, sequences, options),
      statisticsOutcome,
    );
  }

  /**
   * Gives the states at these points to a sink, sequence by sequence, longest first. `begin` makes the sink, and makes another one if
   * the pass starts again because memory was short. If the call rejects, the sink may have had some states.
   */
  async capture(
    sequences: TokenSequences,
    points: readonly CapturePoint[],
    begin: () => CaptureSink,
    options: TaskOptions = {},
  ): Promise<void> {
    await this.#finite(
      'The states of the blocks',
      options,
      sequences,
      (parts) => capture(parts, sequences, points, begin, options),
      (sum) => all([sum]),
    );
  }

  /** How much each attention and each MLP changes the direction of the residual. */
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

  /** The statistics for Wanda-sp and FLAP: every input channel of oProj and downProj over all tokens, and its column's sums. */
  widthStatistics(sequences: TokenSequences, options: WidthStatisticsOptions = {}): Promise<WidthStatistics> {
    return this.#finite(
      'Width statistics',
      options,
      sequences,
      (parts) => widthStatistics(parts, sequences, options),
      widthOutcome,
    );
  }

  /**
   * The same, where each block sees the output of the blocks before it without the heads and neurons that `keep` leaves out. About
   * two passes. `keep` is asked block by block, from the first on; where GPU memory runs out the pass begins again.
   */
  widthInSequence(sequences: TokenSequences, keep: KeepChoice, options: TaskOptions = {}): Promise<WidthStatistics> {
    return this.#finite(
      'Width statistics',
      options,
      sequences,
      (parts) => widthInSequence(parts, sequences, keep, options),
      widthOutcome,
    );
  }

  /** Σ|W ⊙ ∂L/∂W| of every weight of every block, for the mean loss over all predicted tokens. */
  taylor(sequences: TokenSequences, options: TaylorOptions = {}): Promise<Taylor> {
    return this.#finite('Taylor', options, sequences, (parts) => taylor(parts, sequences, options), taylorOutcome);
  }

  /**
   * Measures which tile each matmul of this view is fastest in, and uses it from then on. Other tasks run between two classes of
   * matmuls; a cancelled call keeps what it has measured.
   */
  tune(options: TuneOptions = {}): Promise<Tuning> {
    const parts = this.#view.parts('analysis');
    return tuneModel(parts, modelMatmuls(parts), options, async (matmul) => {
      await this.#lanes.answers.turns.idle(options.signal, 'Measuring kernels'); // nobody waits for an answer, and nothing disturbs the times
      return this.#view.run('analysis', options, null, () => tuneMatmul(parts, matmul, options));
    });
  }

  /** Which tiles this view's matmuls run in: the measured classes, and how many were not measured. */
  tuning(): ModelTuning {
    const { choice } = this.#lanes;
    const keys = modelMatmuls(this.#view.parts('analysis')).map((matmul) => classKey(classOf(matmul)));
    const known = new Map(choice.tuned.map((tuned) => [classKey(tuned), tuned] as const));
    const classes = keys.flatMap((key) => known.get(key) ?? []);
    const { forced = null, float16Matmuls: inHalfPrecision } = choice;
    return { classes, left: keys.length - classes.length, forced, inHalfPrecision };
  }

  /** All measured classes, of this model or others, now or before. */
  get tuned(): TunedClass[] {
    return this.#lanes.choice.tuned;
  }

  /** Time per kernel of a pass over all layers. */
  profile(pass: ProfiledPass, sequences: TokenSequences, options: ProfileOptions = {}): Promise<Profile> {
    return this.#view.run('analysis', options, sequences, (parts) => profile(parts, pass, sequences, options));
  }

  /** The results of `taylor`, `blockStatistics`, `magnitudes` and, if wanted, `widthStatistics`, from one forward and backward pass. */
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
    return this.#view.run('answers', options, [tokens], async (parts) => {
      const buffer = await residual(parts, layers, tokens);
      const first = rows === 'last' ? tokens.length - 1 : 0;
      return parts.forward.logits({ buffer, first, count: tokens.length - first });
    });
  }

  /** The residual [tokens.length, hidden] before layer `boundary` of the list; after the last layer if `boundary` is the list's length. */
  hidden(
    layers: readonly LayerShape[],
    tokens: readonly number[],
    boundary: number,
    options: TaskOptions = {},
  ): Promise<Float32Array> {
    return this.#view.run('answers', options, [tokens], async (parts) => {
      const buffer = await residual(parts, layers.slice(0, boundary), tokens);
      return new Float32Array(await parts.queue.read(buffer, tokens.length * this.shape.hidden * 4));
    });
  }

  /**
   * Generates a text under the given layers with a cache of keys and values. Each step is a task of its own, so that other questions
   * run between two tokens. Close it.
   */
  decoder(layers: readonly LayerShape[], options: DecoderOptions): Decoder {
    const { maxBufferSize, maxStorageBufferBindingSize } = this.#lanes.context.device.limits;
    const bindingBytes = Math.min(maxBufferSize, maxStorageBufferBindingSize);
    this.#texts ??= new TextPool(this.#view.parts('answers'));
    const run: Run = (task, tokens, work) => this.#view.run('answers', task, [tokens], work);
    return new Decoder(run, this.#texts, layers, bindingBytes, options);
  }

  /**
   * Trains this view's weights, which must be float32 and no other view's: give the view `writeBack`, which gets the blocks' weights when
   * `flush` is called. Close it.
   */
  trainer(...trained: TrainerParts): Trainer {
    const run: RunStep = (task, sequences, work) => this.#view.run('analysis', task, sequences, work);
    return new Trainer(run, ...trained);
  }

  /**
   * Trains low-rank factors beside this view's projections. From the first step on, every pass of this view computes with them; other
   * views do not see them. The weights stay as they are. Close it, which takes the factors away.
   * @throws LabError 'bad-argument' for a setting outside its domain
   */
  loraTrainer(setting: LoraTraining): LoraTrainer {
    const run: RunStep = (task, sequences, work) => this.#view.run('analysis', task, sequences, work);
    return new LoraTrainer(run, this.shape, setting);
  }

  /** Lends this view's weights to a task of another view of the same GPU: see `Teacher`. */
  lend<T>(task: EngineParts, work: (parts: EngineParts) => Promise<T>): Promise<T> {
    return this.#view.lend(task, work);
  }

  /** The memory of this engine and of all engines that share it. */
  memory(): EngineMemory {
    const { buffers, weights } = this.#lanes;
    const { liveBytes, peakBytes } = buffers.use();
    return { liveBytes, peakBytes, blocks: weights.blocks.use(), resetPeak: () => buffers.resetPeak() };
  }

  /** A task of this view is at work or waits for its turn, or a text is open. */
  get busy(): boolean {
    return this.#view.busy || this.#texts?.isOpen === true;
  }

  /** When the last task of this view ended, or when the view was opened; as `performance.now()`. */
  get lastUsed(): number {
    return this.#view.lastUsed;
  }

  /** Writes every block that a task has written back to the view. Rejects with what the view's `writeBack` rejects with. */
  flush(options: TaskOptions = {}): Promise<void> {
    return this.#view.flush(options.signal);
  }

  /**
   * Frees what only this view uses; the engines of other views work on. Calls at work reject with 'not-loaded'. Resolves when all is
   * freed. Written blocks are written back first: if that fails, it rejects, keeps them and may be called again.
   */
  close(): Promise<void> {
    return this.#view.close();
  }

  /** Frees everything, of all views. Calls at work reject. What was written and not flushed is lost. */
  dispose(): void {
    this.#lanes.dispose();
  }

  /** An analysis of the view's layers, whose numbers are given only if they are finite, as its outcome says. */
  #finite<T>(
    what: string,
    options: TaskOptions,
    sequences: TokenSequences | null,
    task: (parts: EngineParts) => Promise<T>,
    outcome: (result: T) => Outcome,
  ): Promise<T> {
    const measured = { what, layers: this.shape.layers, sequences };
    return this.#view.run('analysis', options, sequences, (parts) => orSayWhere(parts, measured, task(parts), outcome));
  }
}

/** An acquired buffer with the residual of one sequence after the layers. */
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
