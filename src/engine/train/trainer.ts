/**
 * @file Full training of a view on the GPU: a step is a forward and a backward pass over a batch, clipping by the global norm, and AdamW
 * on every weight.
 *
 * The weights of the view are float32 and its own: they are the master weights. Gradients take four bytes per weight while a step
 * runs; the two moments take eight from the first step until the trainer is closed.
 */
import { LabError } from '../../errors';
import type { LayerRole, ModelRole } from '../../model/shape';
import { type AdamW, clipFactor } from '../../numerics/adamw';
import type { TokenSequences } from '../../numerics/tokens';
import type { TaskOptions } from '../../task';
import { adamw, adamwParams, squareSum, squareSumPartials } from '../kernels/adamw';
import { backwardBatchRows, backwardPass } from '../pass/backwardPass';
import { BlockGradientBuffers, type Gradient, VocabularyGradientBuffers } from '../pass/gradientBuffers';
import { touch } from '../pass/parts';
import { type EngineParts, sumLosses } from '../pass/runtime';
import { makeBatches, predictedTokens } from '../pass/sequences';
import { roleSpans } from '../weights/roleSpans';

export interface StepOptions extends TaskOptions {
  readonly optimizer: AdamW;
  /** Largest global norm of the gradients; they are not clipped without it. */
  readonly clip?: number;
}

export interface StepResult {
  /** Mean loss over all predicted tokens of the batch, before the update. */
  readonly loss: number;
  /** Global norm of the gradients, before clipping. */
  readonly gradientNorm: number;
}

/** Runs a step as a task of the engine. */
export type RunStep = <T>(
  task: TaskOptions,
  sequences: TokenSequences | null,
  work: (parts: EngineParts) => Promise<T>,
) => Promise<T>;

/** Running means of a weight's gradient and its square, as many float32 as the weight has. */
interface Moments {
  readonly first: GPUBuffer;
  readonly second: GPUBuffer;
}

/** Where a gradient's weight lies: element `stateFirst` of the gradient belongs to element `weightFirst` of the weight. */
interface Target {
  readonly weight: GPUBuffer;
  readonly weightFirst: number;
  readonly stateFirst: number;
  readonly count: number;
}

/** A gradient with the key of its moments. Blocks' weights are looked up when they are updated: they may take turns on the GPU. */
interface Trained extends Gradient {
  readonly key: string;
}

/** Weights that are read back at a time. */
const pieceElements = 2 ** 22;

const blockKey = (layer: number, role: string): string => `${layer} ${role}`;

export class Trainer {
  readonly #run: RunStep;
  readonly #moments = new Map<string, Moments>();
  #free: (() => void)[] = [];
  #steps = 0;

  constructor(run: RunStep) {
    this.#run = run;
  }

  /** Steps made so far. */
  get steps(): number {
    return this.#steps;
  }

  /**
   * Trains on a batch. The loss is the mean over all its predicted tokens.
   * @throws LabError 'non-finite' for a loss or gradient that is no number: then no weight has changed
   */
  step(sequences: TokenSequences, options: StepOptions): Promise<StepResult> {
    return this.#run(options, sequences, (parts) => this.#step(parts, sequences, options));
  }

  async #step(parts: EngineParts, sequences: TokenSequences, options: StepOptions): Promise<StepResult> {
    const { queue, shape } = parts;
    const blocks = new Map<number, BlockGradientBuffers>();
    const vocabulary = new VocabularyGradientBuffers(parts);
    const final = new BlockGradientBuffers(parts);
    let sum = 0;
    await backwardPass(parts, makeBatches(sequences, backwardBatchRows(parts)), {
      stage: 'Training',
      ...options,
      kernels: [adamw, squareSum],
      vocabulary,
      sinkFor(place) {
        if (place === 'finalNorm') return final;
        const sink = new BlockGradientBuffers(parts);
        blocks.set(place, sink);
        return sink;
      },
      hooks: [
        {
          async losses(batch, nll) {
            const losses = new Float32Array(await queue.read(nll, batch.tokens.length * 4));
            sum += sumLosses(batch, losses).reduce((a, b) => a + b, 0);
          },
        },
      ],
    });
    const loss = sum / predictedTokens(sequences);
    const outside: Trained[] = [...final.gradients, ...vocabulary.gradients].map(([key, gradient]) => ({
      key,
      ...gradient,
    }));
    const inBlocks = [...blocks].map(([layer, { gradients }]) => ({ layer, gradients }));
    const all = [...outside, ...inBlocks.flatMap(({ gradients }) => [...gradients.values()])];
    const gradientNorm = await globalNorm(parts, all);
    if (!Number.isFinite(loss) || !Number.isFinite(gradientNorm)) throw diverged(this.#steps + 1, loss, gradientNorm);

    const step = this.#steps + 1;
    const scale = options.clip === undefined ? 1 : clipFactor(gradientNorm, options.clip);
    const params = adamwParams(options.optimizer, step, scale);
    for (const { key, count } of outside) await this.#momentsOf(parts, key, count);
    for (const { layer, gradients } of inBlocks) {
      for (const [role, { count }] of gradients) await this.#momentsOf(parts, blockKey(layer, role), count);
    }
    const update = async (key: string, gradient: Gradient, targets: readonly Target[]): Promise<void> => {
      const moments = await this.#momentsOf(parts, key, gradient.count);
      for (const { weight, count, ...place } of targets) {
        const bound = { gradient: gradient.buffer, weight, ...moments };
        await queue.launch(adamw, bound, { count, ...place, ...params }, count * touch);
      }
    };
    // From here on the step is not cancelled: half of the weights would be a step ahead of the others.
    queue.begin(undefined);
    for (const { key, ...gradient } of outside) await update(key, gradient, tableTargets(parts, key as ModelRole));
    parts.blocks.follow(inBlocks.map(({ layer }) => shape.layers[layer]!.source));
    for (const { layer, gradients } of inBlocks) {
      const own = shape.layers[layer]!;
      const spans = roleSpans(shape, own, await parts.blocks.writable(own.source));
      for (const [role, gradient] of gradients) {
        const span = spans.get(role as LayerRole);
        if (span === undefined || span.dtype !== 'F32') throw notFloat32(role);
        const target = { weight: span.buffer, weightFirst: span.first, stateFirst: 0, count: span.count };
        await update(blockKey(layer, role), gradient, [target]);
      }
    }
    await queue.submit();
    this.#steps = step;
    return { loss, gradientNorm };
  }

  async #momentsOf({ buffers }: EngineParts, key: string, count: number): Promise<Moments> {
    const known = this.#moments.get(key);
    if (known) return known;
    const make = async (label: string): Promise<GPUBuffer> => {
      const buffer = await buffers.allocate(count * 4, label); // zeros, as all new buffers
      this.#free.push(() => buffers.free(buffer));
      return buffer;
    };
    const moments = { first: await make(`first moment of ${key}`), second: await make(`second moment of ${key}`) };
    this.#moments.set(key, moments);
    return moments;
  }

  /** The weights of the embedding, the head or the final norm as they are now, in the order of their rows, piece by piece. */
  async table(
    role: ModelRole,
    onPiece: (values: Float32Array<ArrayBuffer>) => Promise<void>,
    task: TaskOptions = {},
  ): Promise<void> {
    await this.#run(task, null, async (parts) => {
      for (const { weight, count } of tableTargets(parts, role)) {
        for (let first = 0; first < count; first += pieceElements) {
          const bytes = 4 * Math.min(pieceElements, count - first);
          await onPiece(new Float32Array(await parts.queue.read(weight, bytes, first * 4)));
        }
      }
    });
  }

  /** Frees the moments. The weights stay as they are. */
  close(): void {
    for (const free of this.#free) free();
    this.#free = [];
    this.#moments.clear();
  }
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

/** The parts of the embedding or the head, or the final norm. */
function tableTargets({ weights, shape }: EngineParts, role: ModelRole): Target[] {
  if (role === 'finalNorm') return [{ weight: weights.finalNorm, weightFirst: 0, stateFirst: 0, count: shape.hidden }];
  return weights[role === 'embed' ? 'embed' : 'head'].map(({ buffer, dtype, rows, inner, first }) => {
    if (dtype !== 'F32') throw notFloat32(role);
    return { weight: buffer, weightFirst: 0, stateFirst: first * inner, count: rows * inner };
  });
}

function notFloat32(role: string): Error {
  return new RangeError(`${role}: a view that is trained has float32 weights`);
}

function diverged(step: number, loss: number, norm: number): LabError {
  return new LabError(
    'non-finite',
    `Step ${step} of the training: the loss is ${loss}, the norm of the gradients ${norm}.`,
    'Train with a lower learning rate, or with clipping. The weights are those before this step.',
  );
}
