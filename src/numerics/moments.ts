/** @file Mean and squared deviations of channels, and how those of two sets of rows become those of both. */

/** Of every channel over some rows. */
export interface Moments {
  /** Rows. */
  count: number;
  /** [channels] */
  readonly mean: Float64Array<ArrayBuffer>;
  /** Σ (x − mean)² [channels] */
  readonly deviations: Float64Array<ArrayBuffer>;
}

/** Of no rows. */
export function noMoments(channels: number): Moments {
  return { count: 0, mean: new Float64Array(channels), deviations: new Float64Array(channels) };
}

/**
 * Adds `count` further rows by their (mean, Σ (x − mean)²) [channels, 2]. Nothing is subtracted that is large beside the
 * result (Chan, Golub & LeVeque 1983).
 */
export function mergeMoments(into: Moments, count: number, pairs: ArrayLike<number>): void {
  if (count === 0) return;
  const share = count / (into.count + count);
  for (let channel = 0; channel < into.mean.length; channel++) {
    const apart = pairs[2 * channel]! - into.mean[channel]!;
    into.mean[channel]! += apart * share;
    into.deviations[channel]! += pairs[2 * channel + 1]! + apart * apart * into.count * share;
  }
  into.count += count;
}

/** Of every channel over some samples, each of which is a set of rows. */
export interface RunningFluctuation {
  /** Samples. */
  count: number;
  /** Mean over the samples of their means [channels]. */
  readonly mean: Float64Array<ArrayBuffer>;
  /** Σ over the samples k ≥ 2 of S_k · (k − 1) / k [channels]: FLAP's fluctuation times (count − 1). */
  readonly sums: Float64Array<ArrayBuffer>;
}

/** Of no samples. */
export function noFluctuation(channels: number): RunningFluctuation {
  return { count: 0, mean: new Float64Array(channels), sums: new Float64Array(channels) };
}

/**
 * Adds the next sample by its moments. S_k = Σ_rows (x − b_k)² is around the running mean b_k up to and with sample k, which is
 * why the order of the samples matters (An et al. 2024, FLAP, as its official code updates it).
 */
export function addSample(into: RunningFluctuation, { count: rows, mean, deviations }: Moments): void {
  into.count += 1;
  const k = into.count;
  for (let channel = 0; channel < mean.length; channel++) {
    into.mean[channel]! += (mean[channel]! - into.mean[channel]!) / k;
    const apart = mean[channel]! - into.mean[channel]!;
    into.sums[channel]! += ((deviations[channel]! + rows * apart * apart) * (k - 1)) / k;
  }
}

/** Of x [rows, channels], row by row. */
export function channelMoments(x: ArrayLike<number>, channels: number): Moments {
  const moments = noMoments(channels);
  const rows = x.length / channels;
  moments.count = rows;
  for (let channel = 0; channel < channels; channel++) {
    let sum = 0;
    for (let row = 0; row < rows; row++) sum += x[row * channels + channel]!;
    const mean = sum / Math.max(rows, 1);
    let deviations = 0;
    for (let row = 0; row < rows; row++) deviations += (x[row * channels + channel]! - mean) ** 2;
    moments.mean[channel] = mean;
    moments.deviations[channel] = deviations;
  }
  return moments;
}
