/**
 * @file The statistics of the width criteria: for every input channel of oProj and downProj, its values over all tokens
 * and its column of the weight.
 */

import type { ColumnSums } from '../../numerics/columnSums';
import {
  addSample,
  type Moments,
  mergeMoments,
  noFluctuation,
  noMoments,
  type RunningFluctuation,
} from '../../numerics/moments';
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
import { type Passing, passOver } from './statistics';

/** Of a sub-block's channels: heads · headDim of an attention, ffn of an MLP. */
export interface ChannelStatistics {
  /** Mean over all tokens [channels]: what stands in for a channel that is gone. */
  readonly mean: Float64Array;
  /** Σ over all tokens of (x − mean)² [channels]. */
  readonly deviations: Float64Array;
  /** Of the columns of oProj or downProj. */
  readonly columns: ColumnSums;
  /** FLAP's fluctuation by the official recurrence times (samples − 1) [channels], where it was asked for: see `addSample`. */
  readonly recurrent?: Float64Array;
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

export interface WidthStatisticsOptions extends TaskOptions {
  /** FLAP's fluctuation by the official recurrence too, which goes through the sequences in their order. */
  readonly recurrence?: boolean | undefined;
}

/** Of one sub-block, while sequences pass. */
interface Gathered {
  readonly all: Moments;
  /** With `recurrence`: of the samples that have passed, and of the one that is passing. */
  readonly samples: RunningFluctuation | null;
  passing: Moments | null;
}

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

  /** Of a layer by its index, complete once all was read. */
  of(index: number): BySubBlock<ColumnSums> {
    return this.#sums.get(index) ?? { attention: null, mlp: null };
  }
}

/** Gathers the width statistics of batches that pass through the base, each from `begin` to `end`. */
export class WidthGathering implements ForwardHook {
  readonly #parts: EngineParts;
  readonly #later: ReadLater;
  readonly #columns: ColumnGathering;
  readonly #gathered: BySubBlock<Gathered>[];
  readonly #lengths = new Map<Batch, GPUBuffer>();
  #samples = 0;
  #tokens = 0;

  /** With `recurrence` the batches have to come with their sequences in order. */
  constructor(parts: EngineParts, { recurrence = false }: Pick<WidthStatisticsOptions, 'recurrence'> = {}) {
    this.#parts = parts;
    this.#later = new ReadLater(parts);
    this.#columns = new ColumnGathering(parts, this.#later);
    const gather = (channels: number): Gathered | null => {
      if (channels === 0) return null;
      return { all: noMoments(channels), samples: recurrence ? noFluctuation(channels) : null, passing: null };
    };
    this.#gathered = parts.shape.layers.map(({ heads, headDim, ffn }) => ({
      attention: gather(heads * headDim),
      mlp: gather(ffn),
    }));
  }

  async begin(batch: Batch): Promise<void> {
    this.#samples += batch.sequences.length;
    this.#tokens += batch.lengths.reduce((sum, length) => sum + length, 0);
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
  }

  /** Of all batches that have begun, after the last one's end. */
  result(): WidthStatistics {
    const layers = this.#gathered.map((_, index) => this.#layer(index));
    return { samples: this.#samples, tokens: this.#tokens, layers };
  }

  /** Of one layer by its index, which all batches that have begun have passed. */
  async resultOf(index: number): Promise<WidthStatistics> {
    await this.#later.flush();
    return { samples: this.#samples, tokens: this.#tokens, layers: [this.#layer(index)] };
  }

  #layer(index: number): BySubBlock<ChannelStatistics> {
    const columns = this.#columns.of(index);
    const join = (gathered: Gathered | null, sums: ColumnSums | null): ChannelStatistics | null => {
      if (gathered === null || sums === null) return null;
      const { all, samples } = gathered;
      const found = { mean: all.mean, deviations: all.deviations, columns: sums };
      return samples === null ? found : { ...found, recurrent: samples.sums };
    };
    const { attention, mlp } = this.#gathered[index]!;
    return { attention: join(attention, columns.attention), mlp: join(mlp, columns.mlp) };
  }

  async #add(batch: Batch, index: number, role: TappedRole, x: GPUBuffer, first: number, rows: number): Promise<void> {
    const gathered = this.#gathered[index]![subBlockOf[role]]!;
    const channels = gathered.all.mean.length;
    // With the recurrence a chunk is what the rows have of one sequence.
    const bySample = gathered.samples !== null;
    const length = bySample ? batch.seqLen : chunkRows;
    const skew = bySample ? first % length : 0;
    const chunks = Math.ceil((rows + skew) / length);
    const room = await this.#later.pairs(chunks * channels, (pairs) => {
      for (let chunk = 0; chunk < chunks; chunk++) {
        const from = Math.max(first, first - skew + chunk * length);
        const end = Math.min(first - skew + (chunk + 1) * length, first + rows);
        const tokens = tokensAmong(batch, from, end);
        const found = pairs.subarray(2 * chunk * channels, 2 * (chunk + 1) * channels);
        mergeMoments(gathered.all, tokens, found);
        if (bySample) addToSample(gathered, tokens, found, end % length === 0);
      }
    });
    await this.#parts.queue.launch(
      channelMoments,
      { x, lengths: this.#lengths.get(batch)!, y: room.buffer },
      { rows, channels, chunkRows: length, skew, batchFirst: first, seqLen: batch.seqLen, yFirst: room.first },
      rows * channels * touch,
    );
  }
}

/** Adds rows of the sample that is passing; with its last rows it has passed. */
function addToSample(gathered: Gathered, tokens: number, pairs: Float32Array, isLast: boolean): void {
  gathered.passing ??= noMoments(gathered.all.mean.length);
  mergeMoments(gathered.passing, tokens, pairs);
  if (!isLast) return;
  addSample(gathered.samples!, gathered.passing);
  gathered.passing = null;
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
  options: WidthStatisticsOptions,
): Promise<WidthStatistics> {
  const gathering = new WidthGathering(parts, options);
  const hook = {
    begin: (batch: Batch) => gathering.begin(batch),
    async through({ batch, queue }: Passing, index: number) {
      const layer = parts.shape.layers[index]!;
      await parts.forward.block(layer, queue, batch.seqLen, gathering.inputs(batch, index));
      await gathering.block(batch, index);
    },
    end: (batch: Batch) => gathering.end(batch),
  };
  await passOver(parts, sequences, options, hook, options.recurrence);
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
  return layers.map((_, index) => gathering.of(index));
}
