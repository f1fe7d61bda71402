/** @file Wanda-sp: how large a channel's weights are, times how large its values. */
import type { KeepChoice } from '../../engine/engine';
import type { ChannelStatistics, WidthStatistics } from '../../engine/measure/width';
import type { LayerShape } from '../../model/shape';
import type { StructureScores, WidthMethod } from '../method';
import { sumRuns } from './width';

/** Mean over output rows of |W_ij| · √s_j [channels]; s_j is the mean over samples of Σ_tokens X_j². */
function channelScores({ mean, deviations, columns }: ChannelStatistics, samples: number, tokens: number): number[] {
  return Array.from(mean, (b, j) => {
    const squares = deviations[j]! + tokens * b * b;
    return (columns.absolute[j]! / columns.rows) * Math.sqrt(squares / samples);
  });
}

/** A head is the sum over its channels. */
export function wandaSpScores(
  { samples, tokens, layers }: WidthStatistics,
  shapes: readonly LayerShape[],
): StructureScores {
  return {
    heads: layers.map(({ attention }, index) =>
      attention ? sumRuns(channelScores(attention, samples, tokens), shapes[index]!.headDim) : [],
    ),
    neurons: layers.map(({ mlp }) => (mlp ? channelScores(mlp, samples, tokens) : [])),
  };
}

const wandaSp: WidthMethod = {
  async score({ probe, shape: { layers }, sequences, keep, signal, onProgress }) {
    const task = { signal, onProgress };
    if (keep === undefined) return wandaSpScores(await probe!.widthStatistics(sequences, task), layers);
    const choose: KeepChoice = (index, found) => {
      const { heads, neurons } = wandaSpScores(found, layers.slice(index, index + 1));
      return keep(index, { heads: heads[0]!, neurons: neurons[0]! });
    };
    return wandaSpScores(await probe!.widthInSequence(sequences, choose, task), layers);
  },
  fromCombinedPass: ({ width }, layers) => wandaSpScores(width!, layers),
};

export default wandaSp;
