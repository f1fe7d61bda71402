/** @file Leaves channels out by setting them to zero. */
import type { Floats } from './arrays';

/** x [rows, channels] with 0 in the channels whose `keep` is 0. */
export function maskChannels(x: Floats, keep: ArrayLike<number>): Float64Array {
  return Float64Array.from(x, (value, index) => (keep[index % keep.length] === 0 ? 0 : value));
}
