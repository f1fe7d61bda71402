/**
 * @file Training of a view on the GPU: a step is a forward and a backward pass over a batch, clipping by the global norm, and AdamW
 * on every weight that is trained.
 *
 * Gradients take four bytes per trained weight while a step runs; the two moments take eight from the first step until the trainer
 * is closed.
 */
import { LabError } from '../../errors';
import type { ModelRole } from '../../model/shape';
import { type AdamW, clipFactor } from '../../numerics/adamw';
import type { TokenSequences } from '../../numerics/tokens';
import type { TaskOptions } from '../../task';
import { adamw, adamwParams, squareSum, squareSumPartials } from '../kernels/adamw';
import { backwardBatchRows, backwardPass } from '../pass/backwardPass';
import { checkDistillation, type Distillation, distillationLoss, type Teacher } from '../pass/distillationLoss';
import type { Gradient } from '../pass/gradientBuffers';
import type { HeadLoss, LossTerms } from '../pass/headLoss';
import { nextTokenLoss } from '../pass/nextTokenLoss';
import { touch } from '../pass/parts';
import type { EngineParts } from '../pass/runtime';
import { makeBatches } from '../pass/sequences';
import { fullWeights } from './fullWeights';
import { MomentStore } from './moments';
import { readPieces, type StatePart, stateParts, type TrainingState } from './state';
import type { Trainable } from './trainable';

export interface StepOptions extends TaskOptions {
  readonly optimizer: AdamW;
  /** Largest global norm of the gradients; they are not clipped without it. */
  readonly clip?: number;
  /**
   * By row, the first token whose loss counts, at least 1; a row that ends before it counts nowhere. Without it all predicted tokens
   * count.
   */
  readonly firstTargets?: readonly number[] | undefined;
  /** Mixes the loss with the divergence from the predictions of an open view of the same GPU, such as the base's engine. */
  readonly distill?: (Distillation & { readonly teacher: Teacher }) | undefined;
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

export class Trainer {
  readonly #run: RunStep;
  readonly #trained: Trainable;
  readonly #moments = new MomentStore();
  #steps = 0;

  /** @param trained which weights change; all of them unless told */
  constructor(run: RunStep, trained: Trainable = fullWeights) {
    this.#run = run;
    this.#trained = trained;
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
    const { queue, shape } = parts;
    checkFirstTargets(sequences, options.firstTargets);
    const trained = this.#trained.begin(parts);
    const pass = (head: HeadLoss): Promise<LossTerms> =>
      backwardPass(parts, makeBatches(sequences, backwardBatchRows(parts)), {
        stage: 'Training',
        ...options,
        loss: head,
        kernels: [adamw, squareSum, ...this.#trained.kernels],
        vocabulary: trained.vocabulary,
        sinkFor: (place) => trained.sinkFor(place),
      });
    const terms = await withLoss(parts, options, pass);
    const { loss } = terms;
    const gradients = trained.gradients();
    const gradientNorm = await globalNorm(parts, gradients);
    const step = this.#steps + 1;
    if (!Number.isFinite(loss) || !Number.isFinite(gradientNorm)) throw diverged(step, loss, gradientNorm);

    const scale = options.clip === undefined ? 1 : clipFactor(gradientNorm, options.clip);
    const params = adamwParams(options.optimizer, step, scale);
    for (const tensor of gradients) await this.#moments.of(parts, tensor);
    // From here on the step is not cancelled: half of the weights would be a step ahead of the others.
    queue.begin(undefined);
    const layers = new Set(gradients.flatMap(({ layer }) => layer ?? []));
    parts.blocks.follow([...layers].map((layer) => shape.layers[layer]!.source));
    for (const gradient of gradients) {
      const targets = await this.#trained.targets(parts, gradient, true);
      const moments = await this.#moments.of(parts, gradient);
      for (const { weight, count, ...place } of targets) {
        const bound = { gradient: gradient.buffer, weight, ...moments };
        await queue.launch(adamw, bound, { count, ...place, ...params }, count * touch);
      }
    }
    await queue.submit();
    this.#steps = step;
    return { ...terms, gradientNorm };
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
      const { queue } = parts;
      for (const tensor of this.#trained.tensors(parts)) {
        const moments = await this.#moments.of(parts, tensor);
        const targets = await this.#trained.targets(parts, tensor, true);
        for (const { weight, weightFirst, stateFirst, count } of targets) {
          await queue.write(weight, await state.read(tensor.key, 'weight', stateFirst, count), weightFirst * 4);
        }
        for (const kind of ['first', 'second'] as const) {
          await queue.write(moments[kind], await state.read(tensor.key, kind, 0, tensor.count));
        }
      }
      await queue.submit();
    });
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
    this.#trained.close();
  }
}

function checkFirstTargets(sequences: TokenSequences, firsts: readonly number[] | undefined): void {
  if (firsts === undefined) return;
  const bad = firsts.find((first) => !(Number.isInteger(first) && first >= 1));
  if (bad === undefined && firsts.length === sequences.length) return;
  const got = bad === undefined ? `${firsts.length} for ${sequences.length} rows` : bad;
  throw new LabError(
    'bad-argument',
    `firstTargets: expected an integer of at least 1 for every row, got ${got}.`,
    'Give the index of the first token of each response.',
  );
}

/** Runs a pass with the loss of the step. */
async function withLoss(
  parts: EngineParts,
  { distill }: StepOptions,
  pass: (loss: HeadLoss) => Promise<LossTerms>,
): Promise<LossTerms> {
  if (distill === undefined) return pass(nextTokenLoss);
  checkDistillation(parts.shape, distill);
  return distill.teacher.lend(parts, (teacher) => pass(distillationLoss(teacher, distill)));
}

/** √ Σ g² over all gradients. */
async function globalNorm(parts: EngineParts, gradients: readonly Gradient[]): Promise<number> {
  const { buffers, queue } = parts;
  const counts = gradients.map(({ count }) => squareSumPartials(count));
  const total = counts.reduce((a, b) => a + b, 0);
  const partials = await buffers.acquire(total * 4, 'squares of gradients');
  let first = 0;
  for (const [index, { buffer, count }] of gradients.entries()) {
    const partialCount = counts[index]!;
    await queue.launch(squareSum, { x: buffer, partials }, { count, partialCount, first }, count * touch);
    first += partialCount;
  }
  const squares = new Float32Array(await queue.read(partials, total * 4));
  buffers.release(partials);
  return Math.sqrt(squares.reduce((a, b) => a + b, 0));
}

function diverged(step: number, loss: number, norm: number): LabError {
  return new LabError(
    'non-finite',
    `Step ${step} of the training: the loss is ${loss}, the norm of the gradients ${norm}.`,
    'Train with a lower learning rate, or with clipping. The weights are those before this step.',
  );
}
