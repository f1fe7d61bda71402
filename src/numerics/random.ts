/** @file A small seeded generator (mulberry32), so that every experiment can be repeated from one integer. */

/** A stream of random numbers: call it for a uniform float64 in [0, 1) with 32 random bits. */
export type Random = () => number;

/**
 * Mulberry32 (Tommy Ettinger, 2017): 32 bits of state, period 2^32, passes gjrand.
 * Good for sampling texts and masks; not for secrets.
 */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Combine a seed with an index into a new seed (two rounds of the murmur3 finalizer), so that
 * neighbouring indices give unrelated streams.
 */
export function mixSeed(seed: number, index: number): number {
  return scramble(scramble(seed >>> 0) ^ Math.imul(index + 1, 0x9e3779b9));
}

/** A uniform integer in [0, n). */
export function randomInt(random: Random, n: number): number {
  if (!(Number.isInteger(n) && n > 0)) throw new RangeError(`randomInt: expected n ≥ 1, got ${n}`);
  return Math.floor(random() * n);
}

/** An index in [0, weights.length), drawn with probability weight / sum of weights. */
export function randomWeighted(random: Random, weights: readonly number[]): number {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (!(total > 0)) throw new RangeError(`randomWeighted: expected a positive sum of weights, got ${total}`);
  let left = random() * total;
  let last = 0;
  for (const [index, weight] of weights.entries()) {
    if (weight <= 0) continue;
    last = index;
    left -= weight;
    if (left < 0) return index;
  }
  return last; // rounding left a crumb
}

/** A standard normal number (Box and Muller, 1958). */
export function randomGaussian(random: Random): number {
  const radius = Math.sqrt(-2 * Math.log(1 - random())); // 1 − u lies in (0, 1]
  return radius * Math.cos(2 * Math.PI * random());
}

/** A shuffled copy (Fisher and Yates); the input stays as it is. */
export function shuffled<T>(random: Random, items: readonly T[]): T[] {
  const copy = [...items];
  for (let end = copy.length - 1; end > 0; end--) {
    const other = randomInt(random, end + 1);
    const kept = copy[end] as T;
    copy[end] = copy[other] as T;
    copy[other] = kept;
  }
  return copy;
}

/** The finalizer of murmur3: each input bit reaches each output bit. */
function scramble(value: number): number {
  let h = value >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
