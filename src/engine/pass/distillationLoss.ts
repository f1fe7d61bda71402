/**
 * @file The loss of distillation: the next token's, mixed with the divergence from a teacher's predictions.
 *
 * The teacher's states after its final norm are kept for all rows of the pass. Its logits are computed chunk by chunk of the
 * vocabulary beside the student's, once for the loss and each time that gradients of logits are needed.
 */
import { LabError } from '../../errors';
import type { Distillation, DistillationLoss } from '../../numerics/distillation';
import type { Kernel } from '../gpu/kernel';
import { distillationGradient, distillationSums, distillationSumsWidth } from '../kernels/distillation';
import { headLogits } from '../kernels/headLogits';
import type { BatchLoss, HeadLoss, HeadRows, LossTerms } from './headLoss';
import { pieces, touch } from './parts';
import type { EngineParts } from './runtime';
import type { Batch } from './sequences';
import { type Teacher, teacherStates } from './teacherStates';
import { chunkRows, chunksOf, type VocabChunk } from './vocabularyChunks';

export type { Distillation, Teacher };

/** @throws LabError 'bad-argument' for a setting out of its range, or vocabularies of different sizes */
export function checkDistillation(
  student: Teacher['shape'],
  { teacher, temperature, weight }: Distillation & { readonly teacher: Teacher },
): void {
  const refuse = (message: string, remedy: string): never => {
    throw new LabError('bad-argument', message, remedy);
  };
  if (!(temperature > 0 && Number.isFinite(temperature))) {
    refuse(`temperature: expected a number above 0, got ${temperature}.`, 'Distil at a temperature of 1 to 5, say.');
  }
  if (!(weight >= 0 && weight <= 1)) {
    refuse(`weight: expected a number from 0 to 1, got ${weight}.`, 'Give the share of the divergence in the loss.');
  }
  const [own, taught] = [student.vocab, teacher.shape.vocab];
  if (own !== taught) {
    refuse(
      `teacher: its vocabulary has ${taught} tokens, the student’s ${own}.`,
      'Distil from a model with the same tokenizer, such as the base of the variant.',
    );
  }
}

/** The two buffers of a chunk: the student's logits or their gradients, and the teacher's logits. */
const logitBuffers = 2;

/** @param teacher its parts on the lane of the pass */
export function distillationLoss(teacher: EngineParts, setting: Distillation): HeadLoss {
  let states = new Map<Batch, GPUBuffer>();
  return {
    logitBuffers,
    blocks: teacher.shape.layers.length,
    *kernels({ choice, shape, weights }): Generator<Kernel> {
      const heads = [
        { choice, cap: 0, head: weights.head },
        { choice, cap: teacher.shape.logitSoftcap, head: teacher.weights.head },
      ];
      for (const { cap, head } of heads) {
        for (const { dtype, inner, rows: cols } of head) {
          for (const tile of choice.tiles('headGradient', { dtype, inner, cols })) yield headLogits(dtype, tile, cap);
        }
      }
      yield distillationSums(shape.logitSoftcap);
      yield distillationGradient(shape.logitSoftcap);
      yield* teacher.forward.kernels();
    },
    async begin(batches, step) {
      states = await teacherStates(teacher, batches, step);
    },
    async of(parts, at) {
      const taught = states.get(at.batch);
      if (taught === undefined) throw new RangeError('distillation: this batch was not announced');
      const loss = new BatchDistillation(parts, teacher, setting, at, taught);
      await loss.measure();
      return loss;
    },
  };
}

class BatchDistillation implements BatchLoss {
  readonly at: HeadRows;
  readonly #student: EngineParts;
  readonly #teacher: EngineParts;
  readonly #setting: Distillation;
  /** The teacher's states after its final norm [rows, its hidden]. */
  readonly #taught: GPUBuffer;
  /** See distillation_sums.wgsl; [rows, 8]. */
  #sums: GPUBuffer | null = null;
  #losses: DistillationLoss[] = [];

  constructor(student: EngineParts, teacher: EngineParts, setting: Distillation, at: HeadRows, taught: GPUBuffer) {
    this.at = at;
    this.#student = student;
    this.#teacher = teacher;
    this.#setting = setting;
    this.#taught = taught;
  }

  /** The loss of every row. */
  async measure(): Promise<void> {
    const { buffers, queue, shape, weights, logitBytes } = this.#student;
    const { rows, targets } = this.at;
    const { temperature } = this.#setting;
    const sums = await buffers.acquire(rows * distillationSumsWidth * 4, 'sums of the loss');
    this.#sums = sums;
    const chunks = [...chunksOf(weights.head, chunkRows(rows, logitBytes / logitBuffers))];
    const widest = Math.max(...chunks.map(({ stride }) => stride));
    const student = await buffers.acquire(rows * widest * 4, 'logits');
    const teacher = await buffers.acquire(rows * widest * 4, "teacher's logits");
    for (const [index, chunk] of chunks.entries()) {
      const { cols, stride, part, weightFirst } = chunk;
      for (const piece of pieces(this.#student, rows, this.#flops(cols))) {
        await this.#logits(chunk, piece, student, teacher);
        const place = { first: piece.first, cols, stride, vocabFirst: part.first + weightFirst };
        await queue.launch(
          distillationSums(shape.logitSoftcap),
          { student, teacher, targets, sums },
          { rows: piece.count, ...place, carry: index > 0 ? 1 : 0, temperature },
          piece.count * cols * touch,
        );
      }
    }
    for (const used of [student, teacher]) buffers.release(used);
    const read = new Float32Array(await queue.read(sums, rows * distillationSumsWidth * 4));
    this.#losses = Array.from({ length: rows }, (_, row) =>
      lossFrom(read.subarray(row * distillationSumsWidth), this.#setting),
    );
  }

  sums(rows: Iterable<number>): LossTerms {
    const sum = { loss: 0, crossEntropy: 0, divergence: 0 };
    for (const row of rows) {
      const { loss, crossEntropy, divergence } = this.#losses[row]!;
      sum.loss += loss;
      sum.crossEntropy += crossEntropy;
      sum.divergence += divergence;
    }
    return sum;
  }

  async logitGradients(chunk: VocabChunk, piece: { first: number; count: number }, dLogits: GPUBuffer): Promise<void> {
    const { buffers, queue, shape } = this.#student;
    const { cols, stride, part, weightFirst } = chunk;
    const { rows, targets, weights } = this.at;
    const { temperature, weight: share } = this.#setting;
    const teacher = await buffers.acquire(rows * stride * 4, "teacher's logits");
    await this.#logits(chunk, piece, dLogits, teacher);
    const place = { first: piece.first, cols, stride, vocabFirst: part.first + weightFirst };
    await queue.launch(
      distillationGradient(shape.logitSoftcap),
      { teacher, targets, sums: this.#sums!, weights, dLogits },
      { rows: piece.count, ...place, temperature, share },
      piece.count * cols * touch,
    );
    buffers.release(teacher);
  }

  release(): void {
    const { buffers } = this.#student;
    buffers.release(this.#taught);
    if (this.#sums !== null) buffers.release(this.#sums);
  }

  /** Both models' logits for some rows of a chunk; the student's before their soft cap, the teacher's behind theirs. */
  async #logits(
    { part, weightFirst, cols, stride }: VocabChunk,
    piece: { first: number; count: number },
    student: GPUBuffer,
    teacher: GPUBuffer,
  ): Promise<void> {
    await logits(this.#student, { part, weightFirst, cols, stride, colFirst: 0 }, piece, this.at.x, student, 0);
    // The teacher's head may be cut into other parts.
    const [from, to] = [part.first + weightFirst, part.first + weightFirst + cols];
    for (const own of this.#teacher.weights.head) {
      const [first, end] = [Math.max(from, own.first), Math.min(to, own.first + own.rows)];
      if (first >= end) continue;
      const place = { part: own, weightFirst: first - own.first, cols: end - first, stride, colFirst: first - from };
      await logits(this.#teacher, place, piece, this.#taught, teacher, this.#teacher.shape.logitSoftcap);
    }
  }

  #flops(cols: number): number {
    return 2 * (this.#student.shape.hidden + this.#teacher.shape.hidden) * cols;
  }
}

/** y[r, colFirst …] = the logits of a chunk for these rows of x. */
async function logits(
  { choice, queue, shape }: EngineParts,
  { part, weightFirst, cols, stride, colFirst }: VocabChunk & { readonly colFirst: number },
  { first, count: rows }: { first: number; count: number },
  x: GPUBuffer,
  y: GPUBuffer,
  softcap: number | undefined,
): Promise<void> {
  const { hidden: inner } = shape;
  const tile = choice.tile('headGradient', { dtype: part.dtype, rows, inner, cols });
  await queue.launch(
    headLogits(part.dtype, tile, softcap),
    { weight: part.buffer, x, y },
    { rows, first, inner, cols, stride, weightFirst, colFirst },
    2 * rows * inner * cols,
  );
}

/** A row's loss from its sums, which distillation_sums.wgsl defines. */
export function lossFrom(sums: Float32Array, { temperature, weight }: Distillation): DistillationLoss {
  const [largest, sum, softSum, target, taughtLargest, taughtSum, difference] = sums;
  const crossEntropy = Math.log(sum!) + (largest! - target!);
  const divergence =
    difference! / (taughtSum! * temperature) +
    (largest! - taughtLargest!) / temperature +
    Math.log(softSum! / taughtSum!);
  return { loss: (1 - weight) * crossEntropy + weight * temperature ** 2 * divergence, crossEntropy, divergence };
}
