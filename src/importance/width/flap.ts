/** @file FLAP: how much a channel fluctuates around its mean, which a bias could replace, times how large its weights are. */
import type { ChannelStatistics, WidthStatistics } from '../../engine/measure/width';
import type { LayerShape } from '../../model/shape';
import type { StructureScores, WidthMethod } from '../method';
import { sumRuns } from './width';

/**
 * Σ_tokens (X_j − b_j)² / (samples − 1) · Σ_i W_ij² [channels], or with the official recurrence where the statistics have it.
 * One sample divides by 1: standardized scores do not see it.
 */
function channelMetrics({ deviations, recurrent, columns }: ChannelStatistics, samples: number): number[] {
  return Array.from(recurrent ?? deviations, (sum, j) => (sum / Math.max(samples - 1, 1)) * columns.squares[j]!);
}

/** To mean 0 and (unbiased) deviation 1, so that layers compare; 0 where all are alike, NaN where one is not finite. */
export function standardized(values: readonly number[]): number[] {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const deviation = Math.sqrt(squares / Math.max(values.length - 1, 1));
  return values.map((value) => (deviation === 0 ? 0 : (value - mean) / deviation));
}

/** Of an attention the metric is squared before it is standardized; a head is the mean over its channels. */
export function flapScores({ samples, layers }: WidthStatistics, shapes: readonly LayerShape[]): StructureScores {
  return {
    heads: layers.map(({ attention }, index) => {
      if (!attention) return [];
      const { headDim } = shapes[index]!;
      const metrics = standardized(channelMetrics(attention, samples).map((metric) => metric ** 2));
      return sumRuns(metrics, headDim).map((sum) => sum / headDim);
    }),
    neurons: layers.map(({ mlp }) => (mlp ? standardized(channelMetrics(mlp, samples)) : [])),
  };
}

const flap: WidthMethod = {
  async score({ probe, shape, sequences, asPublished: recurrence, signal, onProgress }) {
    return flapScores(await probe!.widthStatistics(sequences, { recurrence, signal, onProgress }), shape.layers);
  },
  fromCombinedPass: ({ width }, layers) => flapScores(width!, layers),
};

export default flap;
