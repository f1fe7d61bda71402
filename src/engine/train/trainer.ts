/**
 * @file Training of a view on the GPU: a step is a forward and a backward pass over a batch, clipping by the global norm, and AdamW
 * on every weight that is trained.
 *
 * Gradients take four bytes per trained weight while a step runs; the two moments take eight from the first step until the trainer
 * is closed. Where that does not fit, see `plan.ts`.
 */
import { LabError } from '../../errors';
import type { ModelRole } from '../../model/shape';
import { clipFactor } from '../../numerics/adamw';
import type { TokenSequences } from '../../numerics/tokens';
import type { TaskOptions } from '../../task';
import { adamw, squareSum } from '../kernels/adamw';
import { type Profile, timedLaunches } from '../measure/profile';
import { backwardPass } from '../pass/backwardPass';
import type { LossTerms } from '../pass/headLoss';
import type { EngineParts } from '../pass/runtime';
import type { Batch } from '../pass/sequences';
import { isOutOfMemory } from '../weights/slots';
import { fullWeights } from './fullWeights';
import { type LossSetting, withLoss } from './loss';
import { MomentStore } from './moments';
import { readPieces } from './pieces';
import { planTraining, sizeOf, type TrainingWay } from './plan';
import { restoreParts, type StatePart, stateParts, type TrainingState } from './state';
import type { GradientPart, StepGradients, Trainable, TrainedGradient } from './trainable';
import { GradientNorm, Update, type UpdateSetting } from './update';

export interface StepOptions extends TaskOptions, UpdateSetting, LossSetting {
  /** Largest global norm of the gradients; they are not clipped without it. */
  readonly clip?: number;
  /** Memory for activations that the backward pass then need not compute again, bytes; as much as there is unless given. */
  readonly keepBytes?: number;
}

/** The means over the tokens of the batch that count, before the update. */
export interface StepResult extends LossTerms {
  /** Global norm of the gradients, before clipping. */
  readonly gradientNorm: number;
}

/** Runs a step as a task of the engine. */
export type RunStep = <T>(
  task: TaskOptions,
  sequences: TokenSequences | null,
  work: (parts: EngineParts) => Promise<T>,
) => Promise<T>;

/** Which weights change, all of them unless told; and where their moments are kept. */
export type TrainerParts = [trained?: Trainable, moments?: MomentStore];

export class Trainer {
  readonly #run: RunStep;
  readonly #trained: Trainable;
  readonly #moments: MomentStore;
  #steps = 0;
  /** The GPU was full before all was there that was to lie on it. */
  #full = false;
  /** Whether passes keep activations that they would else compute again. */
  #keeps = true;
  /** Why a step ended after it had begun to change weights. */
  #failed: unknown = null;
  #release = (): void => undefined;

  constructor(run: RunStep, ...[trained = fullWeights, moments = new MomentStore()]: TrainerParts) {
    this.#run = run;
    this.#trained = trained;
    this.#moments = moments;
  }

  /** Steps made so far, those before a restored state included. */
  get steps(): number {
    return this.#steps;
  }

  /**
   * Trains on a batch. The loss is the mean over all its predicted tokens that count.
   * @throws LabError 'non-finite' for a loss or gradient that is no number: then no weight has changed
   */
  step(sequences: TokenSequences, options: StepOptions): Promise<StepResult> {
    return this.#run(options, sequences, (parts) => this.#step(parts, sequences, options));
  }

  async #step(parts: EngineParts, sequences: TokenSequences, options: StepOptions): Promise<StepResult> {
    const { blocks, buffers, queue } = parts;
    if (this.#failed !== null) throw brokenState(this.#failed);
    let way = this.#plan(parts);
    const updating = { begun: false };
    try {
      if (way !== 'blockByBlock') {
        try {
          return await this.#together(parts, sequences, options, updating);
        } catch (thrown) {
          if (!isOutOfMemory(thrown) || updating.begun) throw thrown;
          queue.begin(queue.signal);
          blocks.end();
          buffers.endTask();
          if (this.#keeps) {
            this.#keeps = false;
            return await this.#step(parts, sequences, options);
          }
          if (this.#trained.handsOver !== true) throw thrown;
          // The GPU is full sooner than the plan thought: from now on block by block.
          this.#full = true;
          way = this.#plan(parts);
          await this.#moments.leaveGpu(parts, this.#trained.tensors(parts));
        }
      }
      return await this.#blockByBlock(parts, sequences, options, updating);
    } catch (thrown) {
      if (!updating.begun) throw thrown;
      // The task must not run again: some weights are a step ahead of the others.
      this.#failed = thrown;
      throw brokenState(thrown);
    }
  }

  /** Where weights, gradients and moments lie from now on. */
  #plan(parts: EngineParts): TrainingWay {
    const { room } = parts.weights;
    const handsOver = this.#trained.handsOver === true;
    const size = sizeOf(parts, this.#trained.tensors(parts));
    const plan = planTraining(size, this.#full ? 0 : (room.bytes() ?? Number.POSITIVE_INFINITY), handsOver);
    room.reserve(plan.gradients + plan.moments + plan.passing);
    this.#moments.limit(plan.way === 'together' ? Number.POSITIVE_INFINITY : plan.moments);
    this.#release = () => room.reserve(0);
    return plan.way;
  }

  /** A step that keeps all gradients until the pass has ended. */
  async #together(
    parts: EngineParts,
    sequences: TokenSequences,
    options: StepOptions,
    updating: { begun: boolean },
  ): Promise<StepResult> {
    const { queue, shape } = parts;
    const trained = this.#trained.begin(parts, this.#steps + 1);
    const terms = await this.#pass(parts, sequences, options, trained, this.#keptBytes(parts, sequences, options));
    const gradients = trained.gradients().map(wholePart);
    const norm = new GradientNorm(parts);
    for (const part of gradients) await norm.add(part);
    const gradientNorm = await norm.value(this.#trained.tensors(parts));
    const update = this.#updateBy(parts, options, terms.loss, gradientNorm);
    for (const { tensor } of gradients) await this.#moments.prepare(parts, tensor);
    // From here on the step is not cancelled: half of the weights would be a step ahead of the others.
    queue.begin(undefined);
    const layers = new Set(!this.#trained.inBlocks ? [] : gradients.flatMap(({ tensor }) => tensor.layer ?? []));
    parts.blocks.follow([...layers].map((layer) => shape.layers[layer]!.source));
    updating.begun = true;
    for (const part of gradients) await update.apply(part);
    await queue.submit();
    await this.#moments.settle();
    this.#steps += 1;
    return { ...terms, gradientNorm };
  }

  /**
   * A step that updates each block as soon as its gradient is known. Clipping needs the norm of all gradients before: a first backward
   * pass computes only that.
   */
  async #blockByBlock(
    parts: EngineParts,
    sequences: TokenSequences,
    options: StepOptions,
    updating: { begun: boolean },
  ): Promise<StepResult> {
    const { queue } = parts;
    const tensors = this.#trained.tensors(parts);
    const norm = new GradientNorm(parts);
    let update: Update | null = null;
    if (options.clip !== undefined) {
      const measured = this.#trained.begin(parts, this.#steps + 1, (part) => norm.add(part));
      const { loss } = await this.#pass(parts, sequences, options, measured);
      update = this.#updateBy(parts, options, loss, await norm.value(tensors));
    }
    const apply = async (part: GradientPart): Promise<void> => {
      if (options.clip === undefined) {
        await norm.add(part);
        const soFar = await norm.value(tensors);
        if (!Number.isFinite(soFar)) throw diverged(this.#steps + 1, Number.NaN, soFar);
      }
      update ??= new Update(parts, this.#trained, this.#moments, options, this.#steps + 1, 1);
      if (!updating.begun) await queue.refuseCancel();
      updating.begun = true;
      await update.apply(part);
    };
    const trained = this.#trained.begin(parts, this.#steps + 1, apply);
    const terms = await this.#pass(parts, sequences, options, trained);
    await queue.submit();
    await this.#moments.settle();
    const gradientNorm = await norm.value(tensors);
    this.#steps += 1;
    return { ...terms, gradientNorm };
  }

  /** Memory for activations of the forward pass: what the inputs of blocks leave of their budget. */
  #keptBytes({ inputBytes, shape }: EngineParts, sequences: TokenSequences, { keepBytes }: StepOptions): number {
    if (!this.#keeps) return 0;
    if (keepBytes !== undefined) return keepBytes;
    const rows = sequences.length * Math.max(...sequences.map(({ length }) => length));
    return Math.max(0, inputBytes - rows * shape.hidden * 4 * shape.layers.length);
  }

  /** Time per kernel of a step, which is made. Run one before: this one compiles nothing. */
  profile(sequences: TokenSequences, options: StepOptions): Promise<Profile> {
    return this.#run(options, sequences, (parts) =>
      timedLaunches(parts, 'training', sequences, options, () => this.#step(parts, sequences, options)),
    );
  }

  /** One forward and backward pass, whose gradients go to the sinks. Returns the mean loss and its parts. */
  #pass(
    parts: EngineParts,
    sequences: TokenSequences,
    options: StepOptions,
    trained: StepGradients,
    keepBytes = 0,
  ): Promise<LossTerms> {
    return withLoss(parts, sequences, options, (batches, loss) =>
      backwardPass(parts, batches, {
        stage: 'Training',
        ...options,
        loss,
        kernels: [adamw, squareSum, ...this.#trained.kernels(parts, rowsOf(batches))],
        vocabulary: trained.vocabulary,
        dropout: trained.dropout,
        sinkFor: (place) => trained.sinkFor(place),
        keepBytes,
      }),
    );
  }

  /** The update of the next step. @throws LabError 'non-finite' */
  #updateBy(parts: EngineParts, options: StepOptions, loss: number, gradientNorm: number): Update {
    const step = this.#steps + 1;
    if (!Number.isFinite(loss) || !Number.isFinite(gradientNorm)) throw diverged(step, loss, gradientNorm);
    const scale = options.clip === undefined ? 1 : clipFactor(gradientNorm, options.clip);
    return new Update(parts, this.#trained, this.#moments, options, step, scale);
  }

  /**
   * Hands over every trained tensor with its moments, piece by piece: what `restore` continues from, to the last bit. The arrays are
   * the receiver's.
   */
  async save(onPart: (part: StatePart) => Promise<void>, task: TaskOptions = {}): Promise<void> {
    await this.#run(task, null, (parts) => stateParts(parts, this.#trained, this.#moments, onPart));
  }

  /** Continues from a state that `save` gave, of the same model and kind of training. */
  async restore(state: TrainingState, task: TaskOptions = {}): Promise<void> {
    await this.#run(task, null, async (parts) => {
      this.#plan(parts);
      await restoreParts(parts, this.#trained, this.#moments, state);
    });
    this.#failed = null;
    this.#steps = state.steps;
  }

  /** The weights of the embedding, the head or the final norm as they are now, in the order of their rows, piece by piece. */
  async table(
    role: ModelRole,
    onPiece: (values: Float32Array<ArrayBuffer>) => Promise<void>,
    task: TaskOptions = {},
  ): Promise<void> {
    await this.#run(task, null, async (parts) => {
      const tensor = this.#trained.tensors(parts).find(({ key }) => key === role);
      if (tensor === undefined) throw new RangeError(`${role} is not trained`);
      for (const { weight, weightFirst, count } of await this.#trained.targets(parts, tensor, false)) {
        for await (const values of readPieces(parts, weight, weightFirst, count)) await onPiece(values);
      }
    });
  }

  /** Frees the moments. The weights stay as they are. */
  close(): void {
    this.#moments.close();
    this.#release();
    this.#trained.close();
  }
}

/** Of the largest batch. */
const rowsOf = (batches: readonly Batch[]): number => Math.max(...batches.map(({ tokens }) => tokens.length));

function wholePart({ buffer, ...tensor }: TrainedGradient): GradientPart {
  return { tensor, buffer, first: 0, count: tensor.count };
}

function brokenState(cause: unknown): LabError {
  const code = cause instanceof LabError && cause.code !== 'out-of-memory' ? cause.code : 'runtime';
  return new LabError(
    code,
    `A training step ended while it changed weights: ${cause instanceof Error ? cause.message : String(cause)}`,
    'Continue from the last checkpoint.',
    { cause },
  );
}

function diverged(step: number, loss: number, norm: number): LabError {
  return new LabError(
    'non-finite',
    `Step ${step} of the training: the loss is ${loss}, the norm of the gradients ${norm}.`,
    'Train with a lower learning rate, or with clipping. The weights are those before this step.',
  );
}
