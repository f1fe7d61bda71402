/**
 * @file Scores → positions on the colour ramp, 0 (safe to cut) to 1 (essential). Pure.
 *
 * One lethal block (perplexity 8276 beside 21…58) would leave all others in one shade. So positive scores are placed
 * on a log scale, and the scale ends at Tukey's fences (a quartile ± 1.5 interquartile ranges): what lies beyond
 * takes the end colour and is marked, the rest keeps its differences.
 */

export interface ColourScale {
  /** Per score 0…1; null where the score is not a number. */
  readonly positions: readonly (number | null)[];
  /** Indices of scores beyond the scale's ends. */
  readonly beyond: readonly number[];
  readonly log: boolean;
  /** Scores at the ramp's two ends. */
  readonly domain: readonly [number, number];
}

/** Value at a share 0…1 of ascending numbers, interpolated. */
function quantile(ascending: readonly number[], share: number): number {
  const at = (ascending.length - 1) * share;
  const below = Math.floor(at);
  const low = ascending[below]!;
  const high = ascending[Math.min(below + 1, ascending.length - 1)]!;
  return low + (high - low) * (at - below);
}

export function colourScale(scores: readonly number[]): ColourScale {
  // An infinite perplexity is a real result (the model broke): it is beyond every fence, not missing.
  const finite = scores.filter(Number.isFinite);
  if (finite.length === 0) {
    return {
      positions: scores.map((s) => (Number.isNaN(s) ? null : s > 0 ? 1 : 0)),
      beyond: [],
      log: false,
      domain: [0, 1],
    };
  }
  const log = finite.every((score) => score > 0);
  const place = log ? Math.log : (score: number) => score;
  const placed = finite.map(place).sort((a, b) => a - b);
  const [q1, q3] = [quantile(placed, 0.25), quantile(placed, 0.75)];
  const reach = 1.5 * (q3 - q1);
  const low = Math.max(placed[0]!, q1 - reach);
  const high = Math.min(placed.at(-1)!, q3 + reach);
  const width = high - low;
  const beyond: number[] = [];
  const positions = scores.map((score, index) => {
    if (Number.isNaN(score)) return null;
    const value = Number.isFinite(score) ? place(score) : score;
    if (value < low || value > high) beyond.push(index);
    if (value <= low && width > 0) return 0;
    if (value >= high && width > 0) return 1;
    return width > 0 ? (value - low) / width : value > high ? 1 : value < low ? 0 : 0.5;
  });
  const back = log ? Math.exp : (value: number) => value;
  return { positions, beyond, log, domain: [back(low), back(high)] };
}

/** CSS colour of a position; what has none is neutral. */
export function rampColour(position: number | null): string {
  if (position === null) return 'var(--unmeasured)';
  return `color-mix(in oklab, var(--ramp-low), var(--ramp-high) ${Math.round(position * 100)}%)`;
}
