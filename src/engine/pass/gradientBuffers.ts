/**
 * @file Whole gradients, kept in buffers of the GPU: the sinks of training.
 *
 * A gradient takes four bytes per weight. It is the sum over all batches of the pass.
 */
import type { BiasRole, LayerRole } from '../../model/shape';
import type { BiasFactors, GradientSink, HeadNormFactors, NormFactors, NormRole, WeightFactors } from './gradientSink';
import type { EngineParts } from './runtime';
import { biasGradient, headNormGradient, normGradient } from './vectorGradients';
import type { VocabularyRole, VocabularyRows, VocabularySink } from './vocabularyBackward';
import { weightGradient } from './weightGradient';

/** An acquired buffer of so many float32. */
export interface Gradient {
  readonly buffer: GPUBuffer;
  readonly count: number;
}

/** Gathers the gradient of every weight of one block, or of the final norm. */
export class BlockGradientBuffers implements GradientSink {
  readonly gradients = new Map<LayerRole | NormRole, Gradient>();
  readonly #parts: EngineParts;

  constructor(parts: EngineParts) {
    this.#parts = parts;
  }

  async weight(role: LayerRole, factors: WeightFactors): Promise<void> {
    const { buffer, carryIn } = await this.#gradientOf(role, factors.cols * factors.matrix.inner);
    const { partials } = await weightGradient(this.#parts, factors, buffer, { carryIn, carryOut: 1 });
    this.#parts.buffers.release(partials);
  }

  async norm(role: NormRole, factors: NormFactors): Promise<void> {
    const { buffer: carry, carryIn } = await this.#gradientOf(role, this.#parts.shape.hidden);
    await this.#withSums((sums) => normGradient(this.#parts, factors, { carry, sums, carryIn, carryOut: 1 }));
  }

  async headNorm(role: 'qNorm' | 'kNorm', factors: HeadNormFactors): Promise<void> {
    const { buffer: carry, carryIn } = await this.#gradientOf(role, factors.headDim);
    await this.#withSums((sums) => headNormGradient(this.#parts, factors, { carry, sums, carryIn, carryOut: 1 }));
  }

  async bias(role: BiasRole, factors: BiasFactors): Promise<void> {
    const { buffer, carryIn } = await this.#gradientOf(role, factors.cols);
    await biasGradient(this.#parts, factors, buffer, carryIn === 1);
  }

  /** Returns the buffers to the pool. */
  release(): void {
    for (const { buffer } of this.gradients.values()) this.#parts.buffers.release(buffer);
    this.gradients.clear();
  }

  /** A role's gradient, and whether it holds that of earlier batches. */
  async #gradientOf(role: LayerRole | NormRole, count: number): Promise<{ buffer: GPUBuffer; carryIn: 0 | 1 }> {
    const known = this.gradients.get(role);
    if (known !== undefined) return { buffer: known.buffer, carryIn: 1 };
    const buffer = await this.#parts.buffers.acquire(count * 4, `gradient of ${role}`);
    this.gradients.set(role, { buffer, count });
    return { buffer, carryIn: 0 };
  }

  /** The kernels of norms bind a buffer for sums, which they do not write while a gradient gathers. */
  async #withSums(work: (sums: GPUBuffer) => Promise<void>): Promise<void> {
    const sums = await this.#parts.buffers.acquire(8, 'sums');
    await work(sums);
    this.#parts.buffers.release(sums);
  }
}

/** Gathers the gradients of the embedding and the head, each [vocab, hidden]. */
export class VocabularyGradientBuffers implements VocabularySink {
  readonly gradients = new Map<VocabularyRole, Gradient>();
  readonly #parts: EngineParts;

  constructor(parts: EngineParts) {
    this.#parts = parts;
  }

  async chunk(role: VocabularyRole, gradient: GPUBuffer, { first, count: rows }: VocabularyRows): Promise<void> {
    const { queue, shape } = this.#parts;
    const table = await this.table(role);
    queue.copy(gradient, 0, table, first * shape.hidden * 4, rows * shape.hidden * 4);
  }

  async table(role: VocabularyRole): Promise<GPUBuffer> {
    const { buffers, shape } = this.#parts;
    const known = this.gradients.get(role);
    if (known !== undefined) return known.buffer;
    const count = shape.vocab * shape.hidden;
    const buffer = await buffers.acquire(count * 4, `gradient of ${role}`);
    this.gradients.set(role, { buffer, count });
    return buffer;
  }

  /** Returns the buffers to the pool. */
  release(): void {
    for (const { buffer } of this.gradients.values()) this.#parts.buffers.release(buffer);
    this.gradients.clear();
  }
}
