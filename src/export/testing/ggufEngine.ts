/** @file For tests: a model's GGUF file in llama.cpp, and how far its probabilities are from float64. */
import type { ModelShape } from '../../model/shape';
import type { WeightSource } from '../../model/weights';
import { modelLogits } from '../../numerics/model';
import { referenceOf } from '../../weights/testing/referenceOf';
import type { ExportDtype } from '../exported';
import { type GgufPairs, string } from '../gguf/container';
import { isRefusal, layoutOf } from '../gguf/layout';
import { sizes } from '../gguf/metadata';
import { ggufFile } from '../gguf/write';
import { type LlamaCpp, openLlamaCpp } from './llamaCpp';

export interface GgufModel {
  readonly shape: ModelShape;
  readonly weights: WeightSource;
}

/** The engine with a model's file. */
export async function engineOf(
  { shape, weights }: GgufModel,
  dtype: ExportDtype,
  vocabulary: GgufPairs,
): Promise<LlamaCpp> {
  const layout = layoutOf(shape);
  if (isRefusal(layout)) throw new Error(layout.message);
  const pairs = [
    ['general.architecture', string(layout.architecture)] as const,
    ...sizes(shape, layout),
    ...vocabulary,
  ];
  return openLlamaCpp(ggufFile('model.gguf', pairs, { shape, weights, layout, dtype }));
}

/** The largest difference of a probability between the engine and float64, over all tokens that may come next; NaN if one is NaN. */
export async function deviation(
  engine: LlamaCpp,
  { shape, weights }: GgufModel,
  tokens: readonly number[],
): Promise<number> {
  const found = await engine.probabilities(tokens);
  const logits = modelLogits(shape, await referenceOf(shape, weights), tokens).slice(-shape.vocab);
  const largest = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - largest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return Math.max(...powers.map((power, id) => Math.abs(power / sum - found[id]!)));
}
