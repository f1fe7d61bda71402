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

/** The next token from logits [vocab]. Throws 'bad-weights' where they are not numbers: no token is the likeliest then. */
export function sampleToken(
  logits: Float32Array,
  { temperature = 1, topK = 0, topP = 1 }: Sampling,
  random: Random,
): number {
  const best = argmax(logits);
  const top = logits[best]!;
  const wrong = Number.isFinite(top) ? logits.findIndex(Number.isNaN) : best;
  if (wrong >= 0) {
    throw new LabError(
      'bad-weights',
      `The model's logit of token ${wrong} is ${logits[wrong]}: expected finite numbers, so no next token can be chosen.`,
      'A weight that is not finite, or one that overflows, makes such logits: look at the checkpoint.',
    );
  }
  if (temperature <= 0) return best;
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
