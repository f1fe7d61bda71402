/**
 * @file The width statistics block by block, where each block sees what the pruned blocks before it give.
 *
 * All sequences pass a block twice: as it is, for the statistics of the inputs of its oProj and downProj, and then without the
 * channels that the caller leaves out. These are set to zero where the projections read them, which gives the output of a block
 * that does not have them.
 */
import type { TokenSequences } from '../../numerics/tokens';
import type { TaskOptions } from '../../task';
import { maskChannels } from '../kernels/maskChannels';
import type { InputTap } from '../pass/forwardHook';
import { touch } from '../pass/parts';
import { type EngineParts, progressSteps, uploadWords } from '../pass/runtime';
import { makeBatches } from '../pass/sequences';
import { BatchStates } from './batchStates';
import { type BySubBlock, type ChannelStatistics, WidthGathering, type WidthStatistics } from './width';

/** What stays of a block: query heads and neurons, null for all of them. */
export interface KeptChannels {
  readonly heads: readonly number[] | null;
  readonly neurons: readonly number[] | null;
}

/**
 * Decides what stays of the block of an index; `found.layers` has its statistics alone. It may be asked again from the first
 * block on: where GPU memory ran out, the pass begins again.
 */
export type KeepChoice = (index: number, found: WidthStatistics) => KeptChannels;

/** The width statistics of every block, of which each sees the output of the blocks before it without what `keep` leaves out. */
export async function widthInSequence(
  parts: EngineParts,
  sequences: TokenSequences,
  keep: KeepChoice,
  options: TaskOptions,
): Promise<WidthStatistics> {
  const { forward, shape, buffers } = parts;
  const { layers } = shape;
  const batches = makeBatches(sequences, 4 * forward.sliceRows);
  const tokens = sequences.reduce((sum, sequence) => sum + sequence.length, 0);
  // Twice through every block; behind the last one nothing reads the pruned output.
  const step = progressSteps(options, 'statistics', batches.length * (2 * layers.length - 1), tokens, 'tokens');
  forward.follow(layers.flatMap((layer) => batches.flatMap(() => [layer, layer])));
  const gathering = new WidthGathering(parts);
  const states = new BatchStates(parts, parts.inputBytes);
  for (const batch of batches) {
    await states.embed(batch);
    await gathering.begin(batch);
  }
  const found: BySubBlock<ChannelStatistics>[] = [];
  for (const [index, layer] of layers.entries()) {
    for (const batch of batches) {
      const passing = await states.copy(batch);
      await forward.block(layer, rowsOf(passing, batch.tokens), batch.seqLen, gathering.inputs(batch, index));
      await gathering.block(batch, index);
      buffers.release(passing);
      step();
    }
    const statistics = await gathering.resultOf(index);
    found.push(statistics.layers[0]!);
    const kept = keep(index, statistics);
    if (index === layers.length - 1) break;
    const mask = await maskOf(parts, index, kept);
    for (const batch of batches) {
      const passing = await states.take(batch);
      await forward.block(layer, rowsOf(passing, batch.tokens), batch.seqLen, mask.tap);
      await states.put(batch, passing);
      step();
    }
    mask.release();
  }
  for (const batch of batches) {
    await gathering.end(batch);
    states.drop(batch);
  }
  return { ...gathering.result(), layers: found };
}

const rowsOf = (buffer: GPUBuffer, { length }: ArrayLike<number>) => ({ buffer, first: 0, count: length });

/** Which channels stay: 1 for those, 0 for the others [all · size], of structures of `size` channels each. */
function maskWords(kept: readonly number[], all: number, size: number): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(all * size);
  for (const structure of kept) words.fill(1, structure * size, (structure + 1) * size);
  return words;
}

/** A tap that sets the channels of a block to zero that do not stay; `release` when all batches have passed. */
async function maskOf(
  parts: EngineParts,
  index: number,
  { heads, neurons }: KeptChannels,
): Promise<{ readonly tap: InputTap; release(): void }> {
  const { buffers, queue, shape } = parts;
  const layer = shape.layers[index]!;
  const upload = async (words: Uint32Array<ArrayBuffer>) => ({
    buffer: await uploadWords(parts, words, 'mask of channels'),
    channels: words.length,
  });
  const masks = {
    oProj: heads === null ? null : await upload(maskWords(heads, layer.heads, layer.headDim)),
    downProj: neurons === null ? null : await upload(maskWords(neurons, layer.ffn, 1)),
  };
  return {
    async tap(role, x, _first, rows) {
      const mask = masks[role];
      if (mask === null) return;
      const { buffer: keep, channels } = mask;
      await queue.launch(maskChannels, { keep, x }, { rows, channels }, rows * channels * touch);
    },
    release() {
      for (const mask of Object.values(masks)) if (mask !== null) buffers.release(mask.buffer);
    },
  };
}
