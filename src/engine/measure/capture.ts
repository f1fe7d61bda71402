/** @file States of passing sequences, read back to the worker batch by batch: what repairs are computed from. */
import type { TokenSequences } from '../../numerics/tokens';
import { breathe, type TaskOptions } from '../../task';
import { mlpOutput } from '../pass/mlp';
import { type EngineParts, embedBatch, progressSteps } from '../pass/runtime';
import { makeBatches } from '../pass/sequences';

/**
 * 'stream': the residual before the layer of this index of the view; after the last layer for the number of layers, before the
 * final norm. 'mlp': what the MLP of this layer adds to the residual; zeros for a layer without MLP.
 */
export interface CapturePoint {
  readonly what: 'stream' | 'mlp';
  readonly layer: number;
}

/** Takes the states [tokens, hidden] of one sequence, one array per point. The arrays are valid until the call returns. */
export type CaptureSink = (states: readonly Float32Array[], sequence: number) => void;

/** Bytes of states that are on the GPU and in the worker's memory at a time, unless one sequence has more. */
const captureBytes = 2 ** 26;

/** Passes every sequence as far as the last point. @returns Σ of all captured numbers: not finite where one of them is not */
export async function capture(
  parts: EngineParts,
  sequences: TokenSequences,
  points: readonly CapturePoint[],
  begin: () => CaptureSink,
  options: TaskOptions,
): Promise<number> {
  const { buffers, forward, shape, queue } = parts;
  const sink = begin();
  const rowBytes = shape.hidden * 4;
  const last = Math.max(0, ...points.map(({ what, layer }) => (what === 'mlp' ? layer + 1 : layer)));
  const route = shape.layers.slice(0, last);
  const rows = Math.min(4 * forward.sliceRows, Math.floor(captureBytes / (points.length * rowBytes)));
  const batches = makeBatches(sequences, rows);
  const tokens = sequences.reduce((sum, sequence) => sum + sequence.length, 0);
  const step = progressSteps(options, 'states', batches.length * (last + 1), tokens, 'tokens');
  forward.follow(batches.flatMap(() => route));
  let total = 0;
  for (const batch of batches) {
    const count = batch.tokens.length;
    const buffer = await buffers.acquire(count * rowBytes, 'hidden');
    const kept: GPUBuffer[] = [];
    for (const { what } of points) {
      const place = await buffers.acquire(count * rowBytes, 'captured states');
      if (what === 'mlp') queue.clear(place);
      kept.push(place);
    }
    const keepStream = (boundary: number): void =>
      points.forEach(({ what, layer }, at) => {
        if (what === 'stream' && layer === boundary) queue.copy(buffer, 0, kept[at]!, 0, count * rowBytes);
      });
    await embedBatch(parts, batch, buffer);
    keepStream(0);
    for (const [index, layer] of route.entries()) {
      const wanted = points.flatMap((point, at) => (point.what === 'mlp' && point.layer === index ? [kept[at]!] : []));
      await forward.block(layer, { buffer, first: 0, count }, batch.seqLen, async (role, x, first, rowsOfX) => {
        if (role !== 'downProj') return;
        for (const place of wanted) {
          const { mlp } = await forward.weightsOf(layer);
          await mlpOutput(parts, mlp!, x, { buffer: place, first, count: rowsOfX });
        }
      });
      keepStream(index + 1);
      step();
    }
    const states: Float32Array[] = [];
    for (const place of kept) states.push(new Float32Array(await queue.read(place, count * rowBytes)));
    for (const [row, length] of batch.lengths.entries()) {
      const from = row * batch.seqLen * shape.hidden;
      const own = states.map((values) => values.subarray(from, from + length * shape.hidden));
      for (const values of own) total += values.reduce((sum, value) => sum + value, 0);
      sink(own, batch.sequences[row]!);
      await breathe();
    }
    step();
    for (const used of [buffer, ...kept]) buffers.release(used);
  }
  return total;
}
