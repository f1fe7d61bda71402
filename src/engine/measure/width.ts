/**
 * @file The statistics of the width criteria: for every input channel of oProj and downProj, its values over all tokens
 * and its column of the weight.
 */

import type { ColumnSums } from '../../numerics/columnSums';
import { type Moments, mergeMoments, noMoments } from '../../numerics/moments';
import type { TokenSequences } from '../../numerics/tokens';
import type { TaskOptions } from '../../task';
import { ReadLater } from '../gpu/readLater';
import { channelMoments } from '../kernels/channelMoments';
import { columnSums as columnSumsKernel } from '../kernels/columnSums';
import type { ForwardHook, InputTap, TappedRole } from '../pass/forwardHook';
import { touch } from '../pass/parts';
import { type EngineParts, progressSteps, uploadWords } from '../pass/runtime';
import type { Batch } from '../pass/sequences';
import type { GpuMatrix } from '../weights/gpuWeights';
import { passOver } from './statistics';

/** Of a sub-block's channels: heads · headDim of an attention, ffn of an MLP. */
export interface ChannelStatistics {
  /** Mean over all tokens [channels]: what stands in for a channel that is gone. */
  readonly mean: Float64Array;
  /** Σ over all tokens of (x − mean)² [channels]. */
  readonly deviations: Float64Array;
  /** Of the columns of oProj or downProj. */
  readonly columns: ColumnSums;
}

/** By sub-block; null where the layer has none. */
export type BySubBlock<T> = Readonly<Record<'attention' | 'mlp', T | null>>;

export interface WidthStatistics {
  /** Sequences, and tokens of all of them. */
  readonly samples: number;
  readonly tokens: number;
  readonly layers: BySubBlock<ChannelStatistics>[];
}

/** Rows of a chunk, over which a kernel sums in float32. */
const chunkRows = 256;

const subBlockOf = { oProj: 'attention', downProj: 'mlp' } as const;

/** Gathers the sums of the weights' columns, layer by layer. */
class ColumnGathering {
  readonly #parts: EngineParts;
  readonly #later: ReadLater;
  readonly #sums = new Map<number, BySubBlock<ColumnSums>>();

  constructor(parts: EngineParts, later: ReadLater) {
    this.#parts = parts;
    this.#later = later;
  }

  /** Looks at the weights of the layer of this index, which are on the GPU; a second time changes nothing. */
  async add(index: number): Promise<void> {
    if (this.#sums.has(index)) return;
    const { forward, shape, queue } = this.#parts;
    const { heads, ffn } = shape.layers[index]!;
    if (heads === 0 && ffn === 0) return;
    const { attention, mlp } = await forward.weightsOf(shape.layers[index]!);
    const sumOf = async (matrix: GpuMatrix | undefined): Promise<ColumnSums | null> => {
      if (matrix === undefined) return null;
      const { buffer: weight, dtype, rows, inner } = matrix;
      const sums = { absolute: new Float64Array(inner), squares: new Float64Array(inner), rows };
      const room = await this.#later.pairs(Math.ceil(rows / chunkRows) * inner, (pairs) => {
        for (let at = 0; at < pairs.length; at += 2) {
          const column = (at / 2) % inner;
          sums.absolute[column]! += pairs[at]!;
          sums.squares[column]! += pairs[at + 1]!;
        }
      });
      const params = { rows, inner, chunkRows, yFirst: room.first };
      await queue.launch(columnSumsKernel[dtype], { weight, y: room.buffer }, params, rows * inner * touch);
      return sums;
    };
    this.#sums.set(index, {
      attention: heads === 0 ? null : await sumOf(attention?.out.matrix),
      mlp: ffn === 0 ? null : await sumOf(mlp?.down.matrix),
    });
  }

  /** By layer, complete once all was read. */
  result(): BySubBlock<ColumnSums>[] {
    return this.#parts.shape.layers.map((_, index) => this.#sums.get(index) ?? { attention: null, mlp: null });
  }
}

/** Gathers the width statistics of batches that pass through the base, each from `begin` to `end`. */
export class WidthGathering implements ForwardHook {
  readonly #parts: EngineParts;
  readonly #later: ReadLater;
  readonly #columns: ColumnGathering;
  readonly #moments: { attention: Moments | null; mlp: Moments | null }[];
  readonly #lengths = new Map<Batch, GPUBuffer>();
  #samples = 0;
  #tokens = 0;

  constructor(parts: EngineParts) {
    this.#parts = parts;
    this.#later = new ReadLater(parts);
    this.#columns = new ColumnGathering(parts, this.#later);
    this.#moments = parts.shape.layers.map(({ heads, headDim, ffn }) => ({
      attention: heads === 0 ? null : noMoments(heads * headDim),
      mlp: ffn === 0 ? null : noMoments(ffn),
    }));
  }

  async begin(batch: Batch): Promise<void> {
    this.#lengths.set(batch, await uploadWords(this.#parts, Uint32Array.from(batch.lengths), 'lengths'));
  }

  inputs(batch: Batch, index: number): InputTap {
    return (role, x, first, count) => this.#add(batch, index, role, x, first, count);
  }

  /** The layer of this index was passed; its weights are on the GPU. */
  async block(_batch: Batch, index: number): Promise<void> {
    await this.#columns.add(index);
  }

  async end(batch: Batch): Promise<void> {
    await this.#later.flush();
    this.#parts.buffers.release(this.#lengths.get(batch)!);
    this.#lengths.delete(batch);
    this.#samples += batch.sequences.length;
    this.#tokens += batch.lengths.reduce((sum, length) => sum + length, 0);
  }

  /** Of all batches, after the last one's end. */
  result(): WidthStatistics {
    const columns = this.#columns.result();
    const join = (moments: Moments | null, sums: ColumnSums | null): ChannelStatistics | null =>
      moments && sums && { mean: moments.mean, deviations: moments.deviations, columns: sums };
    return {
      samples: this.#samples,
      tokens: this.#tokens,
      layers: this.#moments.map(({ attention, mlp }, index) => ({
        attention: join(attention, columns[index]!.attention),
        mlp: join(mlp, columns[index]!.mlp),
      })),
    };
  }

  async #add(batch: Batch, index: number, role: TappedRole, x: GPUBuffer, first: number, rows: number): Promise<void> {
    const moments = this.#moments[index]![subBlockOf[role]]!;
    const channels = moments.mean.length;
    const chunks = Math.ceil(rows / chunkRows);
    const room = await this.#later.pairs(chunks * channels, (pairs) => {
      for (let chunk = 0; chunk < chunks; chunk++) {
        const from = first + chunk * chunkRows;
        const tokens = tokensAmong(batch, from, Math.min(from + chunkRows, first + rows));
        mergeMoments(moments, tokens, pairs.subarray(2 * chunk * channels, 2 * (chunk + 1) * channels));
      }
    });
    await this.#parts.queue.launch(
      channelMoments,
      { x, lengths: this.#lengths.get(batch)!, y: room.buffer },
      { rows, channels, chunkRows, batchFirst: first, seqLen: batch.seqLen, yFirst: room.first },
      rows * channels * touch,
    );
  }
}

/** How many of a batch's rows from … end − 1 are tokens, not padding. */
function tokensAmong({ lengths, seqLen }: Batch, from: number, end: number): number {
  return lengths.reduce((sum, length, sequence) => {
    const first = sequence * seqLen;
    return sum + Math.max(0, Math.min(first + length, end) - Math.max(first, from));
  }, 0);
}

/** One pass over the base for its width statistics. */
export async function widthStatistics(
  parts: EngineParts,
  sequences: TokenSequences,
  options: TaskOptions,
): Promise<WidthStatistics> {
  const gathering = new WidthGathering(parts);
  await passOver(parts, sequences, options, {
    begin: (batch) => gathering.begin(batch),
    async through({ batch, queue }, index) {
      const layer = parts.shape.layers[index]!;
      await parts.forward.block(layer, queue, batch.seqLen, gathering.inputs(batch, index));
      await gathering.block(batch, index);
    },
    end: (batch) => gathering.end(batch),
  });
  return gathering.result();
}

/** The sums of the columns of every oProj and downProj, for which nothing is computed but they. */
export async function columnSums(parts: EngineParts, options: TaskOptions): Promise<BySubBlock<ColumnSums>[]> {
  const { layers } = parts.shape;
  const step = progressSteps(options, 'magnitude', layers.length, layers.length, 'blocks');
  const later = new ReadLater(parts);
  const gathering = new ColumnGathering(parts, later);
  parts.forward.follow(layers);
  for (const index of layers.keys()) {
    await gathering.add(index);
    step();
  }
  await later.flush();
  return gathering.result();
}
