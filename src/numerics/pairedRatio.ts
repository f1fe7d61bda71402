/** @file How many times one measurement is another, from pairs that were taken side by side, with what chance leaves open. */

/** A ratio and its 95 % confidence interval. */
export interface Ratio {
  readonly ratio: number;
  readonly low: number;
  readonly high: number;
}

/**
 * P(|T| ≤ t) of Student's distribution with a whole number of degrees of freedom (Abramowitz & Stegun, 26.7.3 and 26.7.4).
 */
export function studentCoverage(t: number, degrees: number): number {
  const angle = Math.atan(t / Math.sqrt(degrees));
  const square = Math.cos(angle) ** 2;
  const odd = degrees % 2 === 1;
  // 1 + (1/2) cos² + (1·3)/(2·4) cos⁴ + …, or for odd degrees cos · (1 + (2/3) cos² + (2·4)/(3·5) cos⁴ + …).
  let term = odd ? Math.cos(angle) : 1;
  let sum = degrees === 1 ? 0 : term;
  for (let k = odd ? 3 : 2; k < degrees; k += 2) {
    term *= ((k - 1) / k) * square;
    sum += term;
  }
  const along = Math.sin(angle) * sum;
  return odd ? (2 / Math.PI) * (angle + along) : along;
}

/** The t that |T| exceeds in 5 of 100 samples of degrees + 1 values. */
export function studentBound(degrees: number): number {
  let [low, high] = [0, 13]; // 12.7 for one degree, less for more
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (studentCoverage(middle, degrees) < 0.95) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/**
 * The geometric mean of above[i] / below[i], with the interval that Student's t gives to the mean of the ratios' logarithms.
 * What slows or quickens both of a pair cancels; logarithms make "twice as fast" and "half as fast" equally far from 1.
 * @param above, below positive, of equal length, two at least
 */
export function pairedRatio(above: readonly number[], below: readonly number[]): Ratio {
  const logs = above.map((value, i) => Math.log(value / below[i]!));
  const count = logs.length;
  const mean = logs.reduce((a, b) => a + b, 0) / count;
  const variance = logs.reduce((sum, log) => sum + (log - mean) ** 2, 0) / (count - 1);
  const reach = studentBound(count - 1) * Math.sqrt(variance / count);
  return { ratio: Math.exp(mean), low: Math.exp(mean - reach), high: Math.exp(mean + reach) };
}

/** Whether the runs show a difference: the interval leaves 1 out. */
export function isConclusive({ low, high }: Ratio): boolean {
  return low > 1 || high < 1;
}
