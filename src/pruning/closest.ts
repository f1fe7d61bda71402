/** @file The place in a rising row of numbers that is closest to a target. */

/**
 * Indices 0 … count − 1 of values that never fall: the closest to the target first, then its neighbour on the other side of the
 * target, where there is one. Of equal distances the lower index comes first, and of equal values the lowest index stands for all.
 */
export function closestAt(count: number, valueAt: (index: number) => number, target: number): number[] {
  const firstAtLeast = (least: number): number => {
    let [low, high] = [0, count];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (valueAt(middle) < least) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  const above = firstAtLeast(target);
  if (above === count) return [firstAtLeast(valueAt(count - 1))];
  if (above === 0) return [0];
  const below = firstAtLeast(valueAt(above - 1));
  return target - valueAt(below) <= valueAt(above) - target ? [below, above] : [above, below];
}
