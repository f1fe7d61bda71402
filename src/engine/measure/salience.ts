/**
 * @file The gradients of a block's weights as two numbers by role: Σ|weight ⊙ g| and Σ g². Biases are not measured.
 *
 * g is the sum over all batches; |·| comes after. With one batch no gradient is ever in memory; with more, a buffer carries
 * each role's gradient from batch to batch, and the next block uses that buffer again. If the caller asks for channels, the same
 * launches also sum |weight ⊙ g| by channel: a head or neuron has rows in the projections that compute it and columns in the
 * projection that reads it.
 */
import type { LayerRole } from '../../model/shape';
import type { Kernel } from '../gpu/kernel';
import { addLines } from '../kernels/addLines';
import { foldedCount, foldPairs } from '../kernels/foldPairs';
import { headNormGradient as headNormParts } from '../kernels/headNormGradient';
import { rmsnormSalience, summedSalience } from '../kernels/rmsnormSalience';
import { lineSalience, weightSalience } from '../kernels/weightSalience';
import type { GradientSink, HeadNormFactors, NormFactors, NormRole, WeightFactors } from '../pass/gradientSink';
import { touch } from '../pass/parts';
import type { EngineParts } from '../pass/runtime';
import { headNormGradient, type NormOutput, normGradient } from '../pass/vectorGradients';
import { type Carrying, channelSide, type Lines, weightGradient } from '../pass/weightGradient';
import type { MatrixLayout } from '../weights/blockLayout';

export type SalienceRole = LayerRole | 'finalNorm';

export interface Salience {
  /** Σ|weight ⊙ g| */
  readonly salience: number;
  /** √Σ g² */
  readonly gradientNorm: number;
  /** Σ|weight ⊙ g| by row, of oProj and downProj by column: of projections, where it was wanted. */
  readonly channels?: Float32Array;
}

/** An acquired buffer with pairs, or single numbers, that are read back. */
interface Sums {
  readonly buffer: GPUBuffer;
  readonly count: number;
}

/** Every kernel that a sink launches, to be compiled side by side. */
export function salienceKernels({ choice, shape, weights }: EngineParts, channels: boolean): ReadonlySet<Kernel> {
  const kernels = new Set<Kernel>([foldPairs, rmsnormSalience, ...(channels ? [addLines] : [])]);
  const add = (
    { dtype, inner, rows: stride }: MatrixLayout,
    sizes: readonly number[],
    side: keyof typeof lineSalience,
  ): void => {
    const steps = [inner, stride, ...sizes];
    for (const cols of sizes) {
      for (const tile of choice.backTiles('weightSalience', { dtype, inner, cols }, steps)) {
        kernels.add(channels ? lineSalience[side](dtype, tile) : weightSalience(dtype, tile));
      }
    }
  };
  for (const { attention, mlp, shape: layer } of weights.blocks.layouts.values()) {
    const [q, kv] = [layer.heads * layer.headDim, layer.kvHeads * layer.headDim];
    if (attention?.headNorms) for (const kernel of [headNormParts, summedSalience]) kernels.add(kernel);
    if (attention !== null) add(attention.qkv, [q, kv], 'rows');
    if (attention !== null) add(attention.out, [shape.hidden], 'columns');
    if (mlp !== null) add(mlp.gateUp, [layer.ffn], 'rows');
    if (mlp !== null) add(mlp.down, [shape.hidden], 'columns');
  }
  return kernels;
}

/** Sums up one block's gradients, or the final norm's: as many batches as the constructor says, then `finish`. */
export class SalienceSink implements GradientSink {
  readonly #parts: EngineParts;
  readonly #batches: number;
  readonly #wantsChannels: boolean;
  readonly #channels = new Map<SalienceRole, Sums>();
  readonly #carries = new Map<SalienceRole, GPUBuffer>();
  readonly #sums = new Map<SalienceRole, Sums>();
  #found: ReadonlyMap<SalienceRole, Salience> = new Map();
  #batch = 0;

  /**
   * @param batches how many times each role will come
   * @param channels whether the sums of each channel are wanted
   */
  constructor(parts: EngineParts, batches: number, channels = false) {
    this.#parts = parts;
    this.#batches = batches;
    this.#wantsChannels = channels;
  }

  /** Says that the gradients so far were those of one batch. */
  endBatch(): void {
    this.#batch += 1;
  }

  async weight(role: LayerRole, factors: WeightFactors): Promise<void> {
    const { buffers } = this.#parts;
    const carry = await this.#carry(role, factors.cols * factors.matrix.inner);
    const by = this.#wantsChannels ? channelSide(role) : null;
    const { partials, pairs, lines } = await weightGradient(this.#parts, factors, carry, this.#carrying(), by);
    if (this.#last) {
      await this.#fold(role, partials, pairs);
      if (lines !== null) await this.#addLines(role, lines);
    }
    for (const used of [partials, ...(lines === null ? [] : [lines.buffer])]) buffers.release(used);
  }

  async norm(role: NormRole, factors: NormFactors): Promise<void> {
    await normGradient(this.#parts, factors, await this.#normOutput(role, this.#parts.shape.hidden));
  }

  async headNorm(role: 'qNorm' | 'kNorm', factors: HeadNormFactors): Promise<void> {
    await headNormGradient(this.#parts, factors, await this.#normOutput(role, factors.headDim));
  }

  /** The sums by role, after `finish`. */
  get found(): ReadonlyMap<SalienceRole, Salience> {
    return this.#found;
  }

  /** Reads the sums back and adds them up in float64. */
  async finish(): Promise<void> {
    if (this.#sums.size > 0) this.#found = await this.#read();
  }

  async #read(): Promise<Map<SalienceRole, Salience>> {
    const { buffers, queue } = this.#parts;
    const pairs = [...this.#sums.values()].reduce((sum, { count }) => sum + count, 0);
    const singles = [...this.#channels.values()].reduce((sum, { count }) => sum + count, 0);
    const bytes = pairs * 8 + singles * 4;
    const all = await buffers.acquire(bytes, 'sums of all roles');
    let at = 0;
    for (const [of, size] of [[this.#sums, 8] as const, [this.#channels, 4] as const]) {
      for (const { buffer, count } of of.values()) {
        queue.copy(buffer, 0, all, at, count * size);
        at += count * size;
      }
    }
    const values = new Float32Array(await queue.read(all, bytes));
    const result = new Map<SalienceRole, Salience>();
    at = 0;
    for (const [role, { count }] of this.#sums) {
      let salience = 0;
      let squares = 0;
      for (let i = at; i < at + count; i++) {
        salience += values[2 * i]!;
        squares += values[2 * i + 1]!;
      }
      result.set(role, { salience, gradientNorm: Math.sqrt(squares) });
      at += count;
    }
    at *= 2;
    for (const [role, { count }] of this.#channels) {
      result.set(role, { ...result.get(role)!, channels: values.slice(at, at + count) });
      at += count;
    }
    for (const { buffer } of [...this.#sums.values(), ...this.#channels.values()]) buffers.release(buffer);
    for (const buffer of [all, ...this.#carries.values()]) buffers.release(buffer);
    return result;
  }

  get #last(): boolean {
    return this.#batch === this.#batches - 1;
  }

  #carrying(): Carrying {
    return { carryIn: this.#batch > 0 ? 1 : 0, carryOut: this.#last ? 0 : 1 };
  }

  async #normOutput(role: NormRole | 'qNorm' | 'kNorm', count: number): Promise<NormOutput> {
    const carry = await this.#carry(role, count);
    return { carry, sums: await this.#keep(role, count), ...this.#carrying() };
  }

  /** Folds a role's pairs into few, which are kept. */
  async #fold(role: SalienceRole, partials: GPUBuffer, pairs: number): Promise<void> {
    const count = foldedCount(pairs);
    const sums = await this.#keep(role, count);
    await this.#parts.queue.launch(
      foldPairs,
      { pairs: partials, sums },
      { length: pairs, count, first: 0 },
      pairs * touch,
    );
  }

  /** Adds a role's lines up to one, which is kept. */
  async #addLines(role: SalienceRole, { buffer: lines, count, length }: Lines): Promise<void> {
    const y = await this.#parts.buffers.acquire(length * 4, 'sums of channels');
    this.#channels.set(role, { buffer: y, count: length });
    const params = { count, stride: length, first: 0, length, part: count, accumulate: 0 };
    await this.#parts.queue.launch(addLines, { lines, y }, params, count * length * touch);
  }

  /** Where a role's gradient waits for the next batch; of any size when there is only one. */
  async #carry(role: SalienceRole, elements: number): Promise<GPUBuffer> {
    let carry = this.#carries.get(role);
    if (carry === undefined) {
      carry = await this.#parts.buffers.acquire(this.#batches > 1 ? elements * 4 : 4, 'gradient so far');
      this.#carries.set(role, carry);
    }
    return carry;
  }

  async #keep(role: SalienceRole, count: number): Promise<GPUBuffer> {
    let sums = this.#sums.get(role);
    if (sums === undefined) {
      sums = { buffer: await this.#parts.buffers.acquire(count * 8, 'sums'), count };
      this.#sums.set(role, sums);
    }
    return sums.buffer;
  }
}
