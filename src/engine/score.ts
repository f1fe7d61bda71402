/** @file The loss of a list of layers on windows of tokens. */
import type { LayerShape } from '../model/shape';
import type { TaskOptions } from '../task';
import { type EngineParts, embedBatch, progressSteps, sumLosses, uploadWords } from './runtime';
import { makeBatches, predictedTokens } from './windows';

export interface Score {
  /** Σ NLL in nats over the predicted tokens of each window. */
  readonly sumNll: number[];
  /** Predicted tokens of all windows: Σ (length − 1). */
  readonly tokens: number;
}

/** Runs the layers over every window; sums of losses in float64. */
export async function score(
  parts: EngineParts,
  layers: readonly LayerShape[],
  windows: readonly (readonly number[])[],
  options: TaskOptions,
): Promise<Score> {
  const { buffers, forward, shape, stream } = parts;
  const sumNll = windows.map(() => 0);
  const tokens = predictedTokens(windows);
  const batches = makeBatches(windows, 4 * forward.sliceRows);
  const step = progressSteps(options, 'score', batches.length * (layers.length + 1), tokens, 'tokens');
  for (const batch of batches) {
    const rows = batch.tokens.length;
    const buffer = await buffers.take(rows * shape.hidden * 4, 'hidden');
    const hidden = { buffer, first: 0, count: rows };
    await embedBatch(parts, batch, buffer);
    for (const layer of layers) {
      await forward.block(layer, hidden, batch.seqLen);
      step();
    }
    const targets = await uploadWords(parts, batch.targets, 'targets');
    const nll = await buffers.take(rows * 4, 'nll');
    await forward.nll(hidden, targets, nll);
    const sums = sumLosses(batch, new Float32Array(await stream.read(nll, rows * 4)));
    batch.windows.forEach((window, index) => {
      sumNll[window] = sums[index]!;
    });
    for (const used of [buffer, targets, nll]) buffers.give(used);
    step();
  }
  return { sumNll, tokens };
}
