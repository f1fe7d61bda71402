/** @file For tests: arrays compared within a tolerance, with a message that names the first departure. */
import { expect } from 'vitest';

interface Tolerance {
  /** Allowed difference relative to the expected value. */
  rtol?: number;
  /** Allowed difference beside it. */
  atol?: number;
}

declare module 'vitest' {
  interface Assertion {
    /** |received − expected| ≤ atol + rtol·|expected| for every element. */
    toBeAllclose(expected: ArrayLike<number>, tolerance?: Tolerance): void;
  }
}

expect.extend({
  toBeAllclose(received: ArrayLike<number>, expected: ArrayLike<number>, { rtol = 1e-5, atol = 1e-6 }: Tolerance = {}) {
    if (received.length !== expected.length) {
      return { pass: false, message: () => `expected ${expected.length} elements, got ${received.length}` };
    }
    let firstBad = -1;
    let worst = 0;
    let largest = -1;
    for (let i = 0; i < expected.length; i++) {
      const difference = Math.abs(received[i]! - expected[i]!);
      // Written so that NaN is a departure.
      if (!(difference <= atol + rtol * Math.abs(expected[i]!)) && firstBad < 0) firstBad = i;
      if (!(difference <= largest)) [largest, worst] = [difference, i];
    }
    const show = (i: number): string => `[${i}] expected ${expected[i]}, got ${received[i]}`;
    return {
      pass: firstBad < 0,
      message: () =>
        `not close (rtol ${rtol}, atol ${atol}): first ${show(firstBad)}; largest difference ${largest} at ${show(worst)}`,
    };
  },
});
