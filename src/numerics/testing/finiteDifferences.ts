/** @file For tests: the slope of a function by central differences, to check a gradient that was derived by hand. */
import { createRandom } from '../random';

/** ∂f/∂x for each element of x, which is changed in place and put back. The error is of order step². */
export function slopes(f: () => number, x: Float64Array, step = 1e-5): Float64Array {
  return x.map((value, i) => {
    x[i] = value + step;
    const above = f();
    x[i] = value - step;
    const below = f();
    x[i] = value;
    return (above - below) / (2 * step);
  });
}

/** Uniform values in [−1, 1). */
export function uniform(count: number, seed: number): Float64Array {
  const random = createRandom(seed);
  return Float64Array.from({ length: count }, () => 2 * random() - 1);
}

/** Σ a ⊙ b: with fixed b, a scalar whose gradient with respect to a is b. */
export function inner(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}
