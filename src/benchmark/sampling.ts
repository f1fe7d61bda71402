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
    `The next token: the logit of token ${bad} is ${logits[bad]}, so that no token can be chosen.`,
    'Measure the perplexity of this variant: it says where a value is not finite.',
  );
}

/** The next token from logits [vocab]. */
export function sampleToken(
  logits: Float32Array,
  { temperature = 1, topK = 0, topP = 1 }: Sampling,
  random: Random,
): number {
  checkLogits(logits);
  if (temperature <= 0) return argmax(logits);
  const top = logits[argmax(logits)]!;
  const ranked = Array.from(logits, (logit, id) => ({ id, weight: Math.exp((logit - top) / temperature) }));
  ranked.sort((a, b) => b.weight - a.weight);
  const candidates = topK > 0 ? ranked.slice(0, topK) : ranked;
  const total = candidates.reduce((sum, { weight }) => sum + weight, 0);
  let kept = 0;
  let mass = 0;
  while (kept < candidates.length && (kept === 0 || mass < topP * total)) mass += candidates[kept++]!.weight;
  let left = random() * mass;
  for (const { id, weight } of candidates.slice(0, kept)) {
    left -= weight;
    if (left < 0) return id;
  }
  return candidates[kept - 1]!.id; // rounding left a crumb
}
