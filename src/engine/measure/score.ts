/** @file The loss of a list of layers on sequences of tokens. */

import { LabError } from '../../errors';
import type { LayerShape } from '../../model/shape';
import type { TokenSequences } from '../../numerics/tokens';
import type { TaskOptions } from '../../task';
import { type EngineParts, embedBatch, progressSteps, sumLosses, uploadWords } from '../pass/runtime';
import { makeBatches } from '../pass/sequences';

export interface ScoreOptions extends TaskOptions {
  /**
   * Per sequence, index of the first token whose loss counts: overlapping sequences score only their new tokens. Default 1.
   */
  readonly firstTargets?: readonly number[] | undefined;
}

export interface Score {
  /** Σ NLL in nats over the predicted tokens of each sequence. */
  readonly sumNll: number[];
  /** Predicted tokens of all sequences: Σ (length − first target). */
  readonly tokens: number;
}

/** Runs the layers over every sequence; sums of losses in float64. */
export async function score(
  parts: EngineParts,
  layers: readonly LayerShape[],
  sequences: TokenSequences,
  options: ScoreOptions,
): Promise<Score> {
  const { buffers, forward, shape, queue } = parts;
  const sumNll = sequences.map(() => 0);
  const firsts = sequences.map((sequence, index) => firstTarget(sequence, index, options.firstTargets));
  const tokens = sequences.reduce((sum, sequence, index) => sum + sequence.length - firsts[index]!, 0);
  const batches = makeBatches(sequences, 4 * forward.sliceRows);
  forward.follow(batches.flatMap(() => layers));
  const step = progressSteps(options, 'score', batches.length * (layers.length + 1), tokens, 'tokens');
  for (const batch of batches) {
    const rows = batch.tokens.length;
    const buffer = await buffers.acquire(rows * shape.hidden * 4, 'hidden');
    const hidden = { buffer, first: 0, count: rows };
    await embedBatch(parts, batch, buffer);
    for (const layer of layers) {
      await forward.block(layer, hidden, batch.seqLen);
      step();
    }
    const targets = await uploadWords(parts, batch.targets, 'targets');
    const nll = await buffers.acquire(rows * 4, 'nll');
    await forward.nll(hidden, targets, nll);
    const sums = sumLosses(batch, new Float32Array(await queue.read(nll, rows * 4)), 0, firsts);
    batch.sequences.forEach((sequence, index) => {
      sumNll[sequence] = sums[index]!;
    });
    for (const used of [buffer, targets, nll]) buffers.release(used);
    step();
  }
  return { sumNll, tokens };
}

function firstTarget(sequence: readonly number[], index: number, firsts: readonly number[] | undefined): number {
  const first = firsts?.[index] ?? 1;
  if (Number.isInteger(first) && first >= 1 && first <= sequence.length) return first;
  const message = `firstTargets[${index}]: expected an integer from 1 to ${sequence.length}, got ${first}.`;
  throw new LabError('bad-argument', message, 'Give the index of the first token that counts.');
}
