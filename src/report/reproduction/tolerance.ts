/**
 * @file How far a number measured again may lie from the report's. Pure.
 *
 * What explains a deviation: a link keeps four significant digits, hence up to 5e-4 of a number; other adapters and other kernels sum
 * f32 products in another order, 1e-5 to 1e-4 of a perplexity; an adapter may fuse or round transcendental functions differently. The
 * bound of a perplexity is about three times their sum. ONNX Runtime in f16 is shown only within 1e-3 nats per token of exact
 * arithmetic (`benchmark/float16Check.ts`): two devices may lie on either side of it, on each sequence.
 */
import type { Criterion, WidthId } from '../../importance/methods';
import type { DeviceInfo } from '../facts';
import type { PerplexityResult } from '../results';

/** Relative, of perplexities in exact arithmetic. */
export const perplexityTolerance = 2e-3;
/** Relative, where one of the two was computed in f16. */
export const float16PerplexityTolerance = 1e-2;

/**
 * Relative, of a variant that was trained here as in the report: each step hands its rounding on to the next ones. A bound by reason; two
 * trainings on one adapter give equal bits.
 */
export const trainedPerplexityTolerance = 1e-2;

/**
 * Relative, of one score. Sums of absolute weights are sums of equal signs; 1 − cosine and variances are small differences of large
 * numbers; gradients add both signs over tokens and samples. Orders are exact but for a link's digits.
 */
const scoreTolerances: Readonly<Record<Criterion | WidthId, number>> = {
  ...{ ppl: perplexityTolerance, taylor: 1e-2, 'block-influence': 5e-3, angular: 5e-3, magnitude: 1e-3 },
  ...{ random: 5e-4, 'reverse-order': 5e-4, sleb: perplexityTolerance, 'block-pruner': perplexityTolerance },
  ...{ evopress: perplexityTolerance, 'wanda-sp': 2e-3, flap: 1e-2, 'llm-pruner': 1e-2, 'magnitude-sp': 1e-3 },
};

/** Of a unit whose score is nearly zero: so much of the median score counts as nothing. */
const floorShare = 0.1;
/** With matrix products in f16 on either side, so many times as much. */
const halfPrecisionFactor = 5;

/** Whether the engine of a device computes products in f16. */
export const isHalf = (device: Pick<DeviceInfo, 'halfPrecision'> | null): boolean => device?.halfPrecision === true;

/** The relative tolerance of a perplexity. `half`: the engine computed products in f16 on either side. `trained`: of a trained variant. */
export function toleranceOf(
  reported: Pick<PerplexityResult, 'precision' | 'runtime'>,
  here: Pick<PerplexityResult, 'precision'>,
  half: boolean,
  trained = false,
): number {
  const isFloat16 = reported.precision === 'f16' || here.precision === 'f16' || (half && reported.runtime === 'wgsl');
  const exact = trained ? trainedPerplexityTolerance : perplexityTolerance;
  return isFloat16 ? Math.max(float16PerplexityTolerance, exact) : exact;
}

/** The relative tolerance of a method's scores. */
export function scoreTolerance(method: string, half: boolean): number {
  const exact = (scoreTolerances as Readonly<Record<string, number>>)[method] ?? perplexityTolerance;
  return half ? exact * halfPrecisionFactor : exact;
}

/**
 * Questions of a task that may be answered otherwise, of so many: those whose two likeliest answers are as likely but for rounding. A
 * bound by reason: one of a hundred, hence none of few questions. `loose`: products in f16 on either side, or a variant that was trained
 * again; then five of a hundred.
 */
export function turnedQuestions(items: number, loose: boolean): number {
  return Math.round(items * (loose ? 0.05 : 0.01));
}

/** |here − reported| / |reported|; 0 for equal numbers, infinite and NaN ones too. */
export function deviationOf(reported: number, here: number): number {
  if (Object.is(reported, here) || reported === here) return 0;
  if (!Number.isFinite(reported) || !Number.isFinite(here)) return Number.POSITIVE_INFINITY;
  return Math.abs(here - reported) / Math.abs(reported);
}

/** The unit of two lists of scores that deviates most for what is allowed. */
export interface Worst {
  /** Index of the unit. */
  readonly index: number;
  readonly reported: number;
  readonly here: number;
  readonly deviation: number;
  /** Every unit is within the tolerance. Then the orders differ at most between units that are as near to each other. */
  readonly agrees: boolean;
  /** Spearman's correlation of the units that have finite scores in both. */
  readonly rank: number;
}

/** Compares two lists of scores unit by unit; null for lists of different lengths, or empty ones. */
export function compareLists(reported: ArrayLike<number>, here: ArrayLike<number>, tolerance: number): Worst | null {
  if (reported.length !== here.length || reported.length === 0) return null;
  const finite: number[] = [];
  for (let i = 0; i < reported.length; i++) if (Number.isFinite(reported[i])) finite.push(Math.abs(reported[i]!));
  finite.sort((a, b) => a - b);
  const floor = floorShare * (finite[finite.length >> 1] ?? 0);
  let worst = 0;
  let most = -1;
  for (let i = 0; i < reported.length; i++) {
    const excess = excessOf(reported[i]!, here[i]!, tolerance, floor);
    if (excess > most) [worst, most] = [i, excess];
  }
  return {
    index: worst,
    reported: reported[worst]!,
    here: here[worst]!,
    deviation: deviationOf(reported[worst]!, here[worst]!),
    agrees: most <= 1,
    rank: spearman(reported, here),
  };
}

/** How many times what is allowed: up to 1 agrees. */
function excessOf(reported: number, here: number, tolerance: number, floor: number): number {
  if (deviationOf(reported, here) === 0) return 0;
  if (!Number.isFinite(reported) || !Number.isFinite(here)) return Number.POSITIVE_INFINITY;
  return Math.abs(here - reported) / (tolerance * Math.max(Math.abs(reported), floor));
}

/**
 * Spearman's rank correlation of two lists: Pearson's of the ranks, equal values sharing the mean of theirs. Pairs with a number that
 * is not finite do not count. 1 where nothing can be told apart in both, 0 where in one.
 */
export function spearman(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const left: number[] = [];
  const right: number[] = [];
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    if (!Number.isFinite(a[i]) || !Number.isFinite(b[i])) continue;
    left.push(a[i]!);
    right.push(b[i]!);
  }
  const [first, second] = [ranks(left), ranks(right)];
  const middle = (left.length - 1) / 2;
  let [both, firsts, seconds] = [0, 0, 0];
  for (let i = 0; i < left.length; i++) {
    const [x, y] = [first[i]! - middle, second[i]! - middle];
    both += x * y;
    firsts += x * x;
    seconds += y * y;
  }
  if (firsts === 0 || seconds === 0) return firsts === seconds ? 1 : 0;
  return both / Math.sqrt(firsts * seconds);
}

/** Ranks from 0; equal values share the mean of theirs. */
function ranks(values: readonly number[]): Float64Array {
  const order = values.map((_, index) => index).sort((a, b) => values[a]! - values[b]!);
  const found = new Float64Array(values.length);
  for (let start = 0; start < order.length; ) {
    let end = start;
    while (end + 1 < order.length && values[order[end + 1]!] === values[order[start]!]) end += 1;
    for (let at = start; at <= end; at++) found[order[at]!] = (start + end) / 2;
    start = end + 1;
  }
  return found;
}
