/**
 * @file Rotary position embedding (Su et al., 2021) in Hugging Face's arrangement: channel i rotates with i +
 * headDim/2.
 */

/** What the angles follow from. */
export interface RopeShape {
  /** θ: pair i of a head rotates by θ^(−2i/headDim) radians from one position to the next. */
  readonly theta: number;
  /** How a model that was trained on short texts was stretched to long ones; not at all when absent. */
  readonly scaling?: RopeScaling;
}

/** Changes of the frequencies, the same at every position and for texts of every length. */
export type RopeScaling =
  /** Position interpolation (Chen et al., 2023): every frequency divided by `factor`. */
  | { readonly kind: 'linear'; readonly factor: number }
  /** Llama 3.1: only slow pairs are divided, measured by the rotations that they make in the original context. */
  | {
      readonly kind: 'llama3';
      readonly factor: number;
      /** Pairs with fewer rotations than this are divided by `factor`. */
      readonly lowFreqFactor: number;
      /** Pairs with more rotations than this stay as they are. */
      readonly highFreqFactor: number;
      /** Context of the training before, in tokens. */
      readonly originalPositions: number;
    }
  /** YaRN (Peng et al., 2023): a ramp over the pairs, and longer queries and keys. */
  | {
      readonly kind: 'yarn';
      readonly factor: number;
      readonly originalPositions: number;
      /** Turns in the original context at which the ramp begins, and at which it ends. */
      readonly betaFast: number;
      readonly betaSlow: number;
      /** Whether the ends of the ramp are rounded outwards to whole pairs. */
      readonly truncate: boolean;
      /** What cos and sin are multiplied by. */
      readonly attentionFactor: number;
    };

/** Radians by which each pair rotates from one position to the next: [headDim/2]. */
export function inverseFrequencies({ theta, scaling }: RopeShape, headDim: number): Float64Array {
  const plain = Float64Array.from({ length: headDim / 2 }, (_, pair) => theta ** ((-2 * pair) / headDim));
  switch (scaling?.kind) {
    case undefined:
      return plain;
    case 'linear':
      return plain.map((frequency) => frequency / scaling.factor);
    case 'llama3': {
      const { factor, lowFreqFactor, highFreqFactor, originalPositions } = scaling;
      return plain.map((frequency) => {
        const turns = (originalPositions * frequency) / (2 * Math.PI);
        const kept = clamp((turns - lowFreqFactor) / (highFreqFactor - lowFreqFactor));
        return frequency * (kept + (1 - kept) / factor);
      });
    }
    case 'yarn': {
      const { factor } = scaling;
      const [first, last] = yarnRamp(theta, headDim, scaling);
      return plain.map((frequency, pair) => {
        const kept = 1 - clamp((pair - first) / (last - first));
        return frequency * (kept + (1 - kept) / factor);
      });
    }
    default:
      return scaling satisfies never;
  }
}

/** YaRN's factor on cos and sin, of queries and keys alike: 0.1 · mscale · ln factor + 1, over the same with mscaleAllDim. */
export function yarnAttentionFactor(factor: number, mscale = 1, mscaleAllDim = 0): number {
  const scale = (by: number): number => (factor <= 1 ? 1 : 0.1 * by * Math.log(factor) + 1);
  return scale(mscale) / scale(mscaleAllDim);
}

/** cos and sin of every angle, interleaved and times the attention factor: [positions, headDim/2, 2]. */
export function rotaryTable(rope: RopeShape, headDim: number, positions: number): Float64Array {
  const pairs = headDim / 2;
  const frequencies = inverseFrequencies(rope, headDim);
  const factor = rope.scaling?.kind === 'yarn' ? rope.scaling.attentionFactor : 1;
  const table = new Float64Array(positions * headDim);
  for (let position = 0; position < positions; position++) {
    for (let pair = 0; pair < pairs; pair++) {
      const angle = position * frequencies[pair]!;
      table[(position * pairs + pair) * 2] = factor * Math.cos(angle);
      table[(position * pairs + pair) * 2 + 1] = factor * Math.sin(angle);
    }
  }
  return table;
}

/** The table of the plain embedding: [positions, headDim/2, 2]. */
export function ropeTable(positions: number, headDim: number, theta: number): Float64Array {
  return rotaryTable({ theta }, headDim, positions);
}

/** Rotates x[seqLen, heads, headDim] in place; the row is the position, counted from 0. */
export function rope(x: Float64Array, heads: number, headDim: number, shape: RopeShape): Float64Array {
  const half = headDim / 2;
  const seqLen = x.length / (heads * headDim);
  const table = rotaryTable(shape, headDim, seqLen);
  for (let row = 0; row < seqLen; row++) {
    for (let head = 0; head < heads; head++) {
      const first = (row * heads + head) * headDim;
      for (let pair = 0; pair < half; pair++) {
        const cos = table[(row * half + pair) * 2]!;
        const sin = table[(row * half + pair) * 2 + 1]!;
        const a = x[first + pair]!;
        const b = x[first + pair + half]!;
        x[first + pair] = a * cos - b * sin;
        x[first + pair + half] = b * cos + a * sin;
      }
    }
  }
  return x;
}

/** The first and the last pair of YaRN's ramp, maybe fractions: those that make betaFast and betaSlow rotations. */
function yarnRamp(
  theta: number,
  headDim: number,
  { originalPositions, betaFast, betaSlow, truncate }: Extract<RopeScaling, { kind: 'yarn' }>,
): [first: number, last: number] {
  const pairOf = (turns: number): number =>
    (headDim * Math.log(originalPositions / (turns * 2 * Math.PI))) / (2 * Math.log(theta));
  const [fast, slow] = [pairOf(betaFast), pairOf(betaSlow)];
  const first = Math.max(truncate ? Math.floor(fast) : fast, 0);
  const last = Math.min(truncate ? Math.ceil(slow) : slow, headDim - 1);
  // As transformers does where the ramp has no length.
  return [first, last === first ? last + 0.001 : last];
}

const clamp = (value: number): number => Math.min(Math.max(value, 0), 1);
