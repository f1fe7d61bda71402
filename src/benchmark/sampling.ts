/** @file From logits to the next token: greedy, or sampled within the top k and the nucleus. */
import { LabError } from '../errors';
import type { Random } from '../numerics/random';

export interface Sampling {
  /** 0 takes the most likely token. */
  temperature?: number | undefined;
  /** Sample among this many most likely tokens; 0 or absent: all. */
  topK?: number | undefined;
  /** Sample among the fewest tokens that together have this probability (Holtzman et al., 2020). */
  topP?: number | undefined;
}

/** Index of the largest value in values[start … start + count); the first of equals. */
export function argmax(values: Float32Array, start = 0, count = values.length): number {
  let best = start;
  for (let i = start + 1; i < start + count; i++) if (values[i]! > values[best]!) best = i;
  return best - start;
}

/** A comparison with NaN is false, so that some token would come out of logits that say nothing. @throws LabError 'non-finite' */
export function checkLogits(logits: Float32Array): void {
  const bad = logits.findIndex((logit) => Number.isNaN(logit) || logit === Number.POSITIVE_INFINITY);
  if (bad < 0) return;
  throw new LabError(
    'non-finite',
    `The next token: the logit of token ${bad} is ${logits[bad]}, so no token can be chosen.`,
    'Measure the perplexity of this variant: it tells you where a value is not finite.',
  );
}

/** The next token from logits [vocab]. */
export function sampleToken(
  logits: Float32Array,
  { temperature = 1, topK = 0, topP = 1 }: Sampling,
  random: Random,
): number {
  checkLogits(logits);
  const best = argmax(logits);
  if (temperature <= 0) return best;
  const top = logits[best]!;
  const weights = Float64Array.from(logits, (logit) => Math.exp((logit - top) / temperature));
  const ranked = Uint32Array.from(logits, (_, id) => id).sort((a, b) => weights[b]! - weights[a]! || a - b);
  const candidates = topK > 0 ? ranked.subarray(0, topK) : ranked;
  const total = candidates.reduce((sum, id) => sum + weights[id]!, 0);
  let kept = 0;
  let mass = 0;
  while (kept < candidates.length && (kept === 0 || mass < topP * total)) mass += weights[candidates[kept++]!]!;
  let left = random() * mass;
  for (const id of candidates.subarray(0, kept)) {
    left -= weights[id]!;
    if (left < 0) return id;
  }
  return candidates[kept - 1]!; // rounding left a crumb
}
