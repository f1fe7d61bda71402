/** @file What the statistics criteria look at: how much each block turns the stream, and Σ|W|. */

import type { StoredDtype } from '../model/weights';
import type { TaskOptions } from '../task';
import { absoluteSum, partialCount } from './kernels/absoluteSum';
import { cosineRows } from './kernels/cosineRows';
import { type EngineParts, embedBatch, progressSteps } from './runtime';
import { makeBatches } from './windows';

export interface BlockStatistics {
  /** 1 − mean cos(h_l, h_{l+1}) over all tokens, one per block. */
  readonly influence: number[];
  /** Hidden state [hidden] of the last token at each boundary h_0 … h_L, before the final norm: [window][layers + 1]. */
  readonly lastTokens: Float32Array[][];
}

/** One pass over the whole model that keeps a number per token and block, and a row per window and boundary. */
export async function blockStatistics(
  parts: EngineParts,
  windows: readonly (readonly number[])[],
  options: TaskOptions,
): Promise<BlockStatistics> {
  const { buffers, forward, shape, stream } = parts;
  const { hidden: width, layers } = shape;
  const cosines = layers.map(() => 0);
  const lastTokens: Float32Array[][] = windows.map(() => []);
  const tokens = windows.reduce((sum, window) => sum + window.length, 0);
  const batches = makeBatches(windows, 4 * forward.sliceRows);
  const step = progressSteps(options, 'statistics', batches.length * layers.length, tokens, 'tokens');
  for (const batch of batches) {
    const rows = batch.tokens.length;
    const count = batch.windows.length;
    const buffer = await buffers.take(rows * width * 4, 'hidden');
    const before = await buffers.take(rows * width * 4, 'hidden before');
    const cosine = await buffers.take(layers.length * rows * 4, 'cosines');
    const last = await buffers.take((layers.length + 1) * count * width * 4, 'last tokens');
    const keepLast = (boundary: number): void => {
      batch.lengths.forEach((length, sequence) => {
        const from = (sequence * batch.seqLen + length - 1) * width * 4;
        stream.copy(buffer, from, last, (boundary * count + sequence) * width * 4, width * 4);
      });
    };
    await embedBatch(parts, batch, buffer);
    keepLast(0);
    for (const [index, layer] of layers.entries()) {
      stream.copy(buffer, 0, before, 0, rows * width * 4);
      await forward.block(layer, { buffer, first: 0, count: rows }, batch.seqLen);
      await stream.launch(
        cosineRows,
        { a: before, b: buffer, y: cosine },
        { rows, hidden: width, aFirst: 0, bFirst: 0, yFirst: index * rows },
        rows * width * 20,
      );
      keepLast(index + 1);
      step();
    }
    const values = new Float32Array(await stream.read(cosine, layers.length * rows * 4));
    layers.forEach((_, index) => {
      batch.lengths.forEach((length, sequence) => {
        const first = index * rows + sequence * batch.seqLen;
        for (let row = 0; row < length; row++) cosines[index] = cosines[index]! + values[first + row]!;
      });
    });
    const states = new Float32Array(await stream.read(last, (layers.length + 1) * count * width * 4));
    batch.windows.forEach((window, sequence) => {
      lastTokens[window] = Array.from({ length: layers.length + 1 }, (_, boundary) =>
        states.slice((boundary * count + sequence) * width, (boundary * count + sequence + 1) * width),
      );
    });
    for (const used of [buffer, before, cosine, last]) buffers.give(used);
  }
  return { influence: cosines.map((sum) => 1 - sum / tokens), lastTokens };
}

/** Σ|W| over each block's projections and norms, partial sums added in float64. */
export async function magnitudes(parts: EngineParts, options: TaskOptions): Promise<number[]> {
  const { buffers, shape, stream, weights } = parts;
  const step = progressSteps(options, 'magnitude', shape.layers.length, shape.layers.length, 'blocks');
  const sums: number[] = [];
  for (const layer of shape.layers) {
    const { attention, mlp } = weights.blocks.get(layer.source)!;
    const norms = [attention?.norm, mlp?.norm].filter((norm) => norm !== undefined);
    const matrices = [attention?.qkv, attention?.out, mlp?.gateUp, mlp?.down].filter((matrix) => matrix !== undefined);
    let sum = 0;
    for (const { buffer, dtype } of [...norms.map((buffer) => ({ buffer, dtype: 'F32' as const })), ...matrices]) {
      sum += await sumOf(buffer, dtype);
    }
    sums.push(sum);
    step();
  }
  return sums;

  async function sumOf(weight: GPUBuffer, dtype: StoredDtype): Promise<number> {
    // The padding behind the last element is zero.
    const vectors = weight.size / (dtype === 'F32' ? 16 : 8);
    const count = partialCount(vectors);
    const partials = await buffers.take(count * 4, 'partial sums');
    await stream.launch(absoluteSum[dtype], { weight, partials }, { vectors, count, first: 0 }, vectors * 20);
    const values = new Float32Array(await stream.read(partials, count * 4));
    buffers.give(partials);
    return values.reduce((a, b) => a + b, 0);
  }
}
