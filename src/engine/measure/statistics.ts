/** @file Statistics for block influence, angular distance and magnitude: how much each block rotates the residual, and Σ|W|. */

import type { StoredDtype } from '../../model/weights';
import type { TokenSequences } from '../../numerics/tokens';
import type { TaskOptions } from '../../task';
import { absoluteSum, partialCount } from '../kernels/absoluteSum';
import type { ForwardHook } from '../pass/forwardHook';
import { type Rows, touch } from '../pass/parts';
import { type EngineParts, embedBatch, progressSteps } from '../pass/runtime';
import { type Batch, makeBatches } from '../pass/sequences';
import { CosineMeans } from './cosineMeans';

export interface BlockStatistics {
  /** 1 − mean cos(h_l, h_{l+1}) over all tokens, one per block. */
  readonly influence: number[];
  /**
   * Hidden state [hidden] of the last token at each boundary h_0 … h_L, before the final norm: [sequence][layers + 1].
   */
  readonly lastTokens: Float32Array[][];
}

/** Gathers the block statistics of passing batches: a number per token and block, a row per sequence and boundary. */
export class ResidualStatistics implements ForwardHook {
  readonly #parts: EngineParts;
  readonly #kept = new Map<Batch, GPUBuffer>();
  readonly #cosines: CosineMeans;
  readonly #lastTokens: Float32Array[][];

  constructor(parts: EngineParts, sequences: TokenSequences) {
    this.#parts = parts;
    this.#cosines = new CosineMeans(parts, parts.shape.layers.length);
    this.#lastTokens = sequences.map(() => []);
  }

  async begin(batch: Batch, residual: GPUBuffer): Promise<void> {
    const { buffers, shape } = this.#parts;
    const { hidden, layers } = shape;
    await this.#cosines.begin(batch);
    this.#kept.set(
      batch,
      await buffers.acquire((layers.length + 1) * batch.sequences.length * hidden * 4, 'last tokens'),
    );
    this.#keepLast(batch, 0, residual);
  }

  async block(batch: Batch, index: number, before: GPUBuffer, after: GPUBuffer): Promise<void> {
    await this.#cosines.add(batch, index, before, after);
    this.#keepLast(batch, index + 1, after);
  }

  async end(batch: Batch): Promise<void> {
    const { buffers, shape, queue } = this.#parts;
    const { hidden, layers } = shape;
    await this.#cosines.end(batch);
    const last = this.#kept.get(batch)!;
    const count = batch.sequences.length;
    const states = new Float32Array(await queue.read(last, (layers.length + 1) * count * hidden * 4));
    batch.sequences.forEach((sequence, index) => {
      this.#lastTokens[sequence] = Array.from({ length: layers.length + 1 }, (_, boundary) =>
        states.slice((boundary * count + index) * hidden, (boundary * count + index + 1) * hidden),
      );
    });
    buffers.release(last);
    this.#kept.delete(batch);
  }

  /** Of all batches, after the last one's end. */
  result(): BlockStatistics {
    return { influence: this.#cosines.turns(), lastTokens: this.#lastTokens };
  }

  #keepLast(batch: Batch, boundary: number, state: GPUBuffer): void {
    const last = this.#kept.get(batch)!;
    const bytes = this.#parts.shape.hidden * 4;
    batch.lengths.forEach((length, sequence) => {
      const from = (sequence * batch.seqLen + length - 1) * bytes;
      this.#parts.queue.copy(state, from, last, (boundary * batch.sequences.length + sequence) * bytes, bytes);
    });
  }
}

/** The residual of a batch inside a layer, and a copy from before the layer. */
export interface Passing {
  readonly batch: Batch;
  readonly queue: Rows;
  readonly before: GPUBuffer;
  /** Copies the residual, to be compared with the residual after the layer. */
  remember(): void;
}

/** Takes every sequence through the base, batch by batch, the long ones first unless `inOrder`; `through` passes the layer of an index. */
export async function passOver(
  parts: EngineParts,
  sequences: TokenSequences,
  options: TaskOptions,
  hook: Pick<ForwardHook, 'begin' | 'end'> & { through(passing: Passing, index: number): Promise<void> },
  inOrder = false,
): Promise<void> {
  const { buffers, forward, shape, queue } = parts;
  const { hidden, layers } = shape;
  const tokens = sequences.reduce((sum, sequence) => sum + sequence.length, 0);
  const batches = makeBatches(sequences, 4 * forward.sliceRows, inOrder);
  forward.follow(batches.flatMap(() => layers));
  const step = progressSteps(options, 'statistics', batches.length * layers.length, tokens, 'tokens');
  for (const batch of batches) {
    const rows = batch.tokens.length;
    const buffer = await buffers.acquire(rows * hidden * 4, 'hidden');
    const before = await buffers.acquire(rows * hidden * 4, 'hidden before');
    const remember = (): void => queue.copy(buffer, 0, before, 0, rows * hidden * 4);
    await embedBatch(parts, batch, buffer);
    await hook.begin?.(batch, buffer);
    for (const index of layers.keys()) {
      await hook.through({ batch, queue: { buffer, first: 0, count: rows }, before, remember }, index);
      step();
    }
    await hook.end?.(batch);
    for (const used of [buffer, before]) buffers.release(used);
  }
}

/** One pass over the base for its block statistics. */
export async function blockStatistics(
  parts: EngineParts,
  sequences: TokenSequences,
  options: TaskOptions,
): Promise<BlockStatistics> {
  const { forward, shape } = parts;
  const statistics = new ResidualStatistics(parts, sequences);
  await passOver(parts, sequences, options, {
    begin: (batch, queue) => statistics.begin(batch, queue),
    async through({ batch, queue, before, remember }, index) {
      remember();
      await forward.block(shape.layers[index]!, queue, batch.seqLen);
      await statistics.block(batch, index, before, queue.buffer);
    },
    end: (batch) => statistics.end(batch),
  });
  return statistics.result();
}

/** 1 − mean cosine of the stream before and behind each attention, and before and behind each MLP. */
export interface SubBlockInfluence {
  readonly attention: number[];
  readonly mlp: number[];
}

/** One pass over the base that looks at its attentions and MLPs on their own. */
export async function subBlockInfluence(
  parts: EngineParts,
  sequences: TokenSequences,
  options: TaskOptions,
): Promise<SubBlockInfluence> {
  const { forward, shape } = parts;
  const cosines = new CosineMeans(parts, 2 * shape.layers.length);
  await passOver(parts, sequences, options, {
    begin: (batch) => cosines.begin(batch),
    async through({ batch, queue, before, remember }, index) {
      const layer = shape.layers[index]!;
      remember();
      await forward.attention(layer, queue, batch.seqLen);
      await cosines.add(batch, 2 * index, before, queue.buffer);
      remember();
      await forward.mlp(layer, queue);
      await cosines.add(batch, 2 * index + 1, before, queue.buffer);
    },
    end: (batch) => cosines.end(batch),
  });
  const turns = cosines.turns();
  return { attention: turns.filter((_, index) => index % 2 === 0), mlp: turns.filter((_, index) => index % 2 === 1) };
}

/** Gathers Σ|W| over each block's projections and norms; the sums of a block on the GPU are small. */
export class MagnitudeSums implements ForwardHook {
  readonly #parts: EngineParts;
  readonly #sums = new Map<number, { buffer: GPUBuffer; count: number }[]>();

  constructor(parts: EngineParts) {
    this.#parts = parts;
  }

  block(_batch: Batch, index: number): Promise<void> {
    return this.add(index);
  }

  /** Looks at the weights of the layer of this index; a second time changes nothing. */
  async add(index: number): Promise<void> {
    if (this.#sums.has(index)) return;
    const { forward, shape } = this.#parts;
    const { attention, mlp } = await forward.weightsOf(shape.layers[index]!);
    const all = [attention?.norm, attention?.headNorms, attention?.postNorm, mlp?.norm, mlp?.postNorm];
    const norms = all.filter((norm) => norm != null);
    const projections = [attention?.qkv, attention?.out, mlp?.gateUp, mlp?.down];
    const matrices = projections.flatMap((projection) => projection?.matrix ?? []);
    const sums: { buffer: GPUBuffer; count: number }[] = [];
    for (const { buffer, dtype } of [...norms.map((buffer) => ({ buffer, dtype: 'F32' as const })), ...matrices]) {
      sums.push(await this.#sumOf(buffer, dtype));
    }
    this.#sums.set(index, sums);
  }

  /** A sum per layer that was added, by its index; partial sums are added in float64. */
  async read(): Promise<number[]> {
    const { buffers, queue } = this.#parts;
    const all = [...this.#sums.values()].flat();
    const total = all.reduce((sum, { count }) => sum + count, 0);
    const joined = await buffers.acquire(total * 4, 'partial sums of all blocks');
    let at = 0;
    for (const { buffer, count } of all) {
      queue.copy(buffer, 0, joined, at * 4, count * 4);
      at += count;
    }
    const values = new Float32Array(await queue.read(joined, total * 4));
    const result: number[] = [];
    at = 0;
    for (const [index, sums] of this.#sums) {
      const count = sums.reduce((sum, one) => sum + one.count, 0);
      result[index] = values.subarray(at, at + count).reduce((a, b) => a + b, 0);
      at += count;
    }
    for (const { buffer } of [...all, { buffer: joined }]) buffers.release(buffer);
    this.#sums.clear();
    return result;
  }

  /** A taken buffer with partial sums of |weight|, the partial sums of partial ones. */
  async #sumOf(weight: GPUBuffer, dtype: StoredDtype): Promise<{ buffer: GPUBuffer; count: number }> {
    const { buffers, queue } = this.#parts;
    // The padding behind the last element is zero.
    const vectors = weight.size / (dtype === 'F32' ? 16 : 8);
    const many = partialCount(vectors);
    const partials = await buffers.acquire(many * 4, 'partial sums');
    await queue.launch(absoluteSum[dtype], { weight, partials }, { vectors, count: many, first: 0 }, vectors * touch);
    const count = partialCount(many / 4);
    const buffer = await buffers.acquire(count * 4, 'partial sums');
    const again = { vectors: many / 4, count, first: 0 };
    await queue.launch(absoluteSum.F32, { weight: partials, partials: buffer }, again, many * touch);
    buffers.release(partials);
    return { buffer, count };
  }
}

/** Σ|W| over each block's projections and norms. */
export async function magnitudes(parts: EngineParts, options: TaskOptions): Promise<number[]> {
  const { layers } = parts.shape;
  const step = progressSteps(options, 'magnitude', layers.length, layers.length, 'blocks');
  parts.forward.follow(layers);
  const sums = new MagnitudeSums(parts);
  for (const index of layers.keys()) {
    await sums.add(index);
    step();
  }
  return sums.read();
}
