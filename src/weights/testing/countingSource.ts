/** @file For tests and benches: a source that counts the bytes which are read from it. */
import type { WeightSource } from '../../model/weights';

export interface Counted {
  readonly weights: WeightSource;
  /** Bytes read so far. */
  bytes: number;
  /** Largest single read, bytes. */
  largest: number;
  /** Most bytes of reads that were under way at once. */
  peak: number;
}

/** Counts what is read from a source. Whole files may not be asked for: their bytes would be missing in the counts. */
export function counting(source: WeightSource): Counted {
  let live = 0;
  const counted: Counted = {
    bytes: 0,
    largest: 0,
    peak: 0,
    weights: {
      ...source,
      async read(tensor, signal) {
        const size = tensor.end - tensor.begin;
        live += size;
        counted.bytes += size;
        counted.largest = Math.max(counted.largest, size);
        counted.peak = Math.max(counted.peak, live);
        try {
          return await source.read(tensor, signal);
        } finally {
          live -= size;
        }
      },
      file: (name) => Promise.reject(new Error(`${name}: a counting source gives no whole files.`)),
    },
  };
  return counted;
}
