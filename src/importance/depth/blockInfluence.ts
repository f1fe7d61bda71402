/**
 * @file Block influence: 1 − mean over tokens of cos(h_l, h_{l+1}), the residual stream before and behind a block; of an
 * attention or MLP 1 − mean cos(x, x + f(norm(x))), as He et al. 2024 (What Matters in Transformers?) drop them.
 */
import type { ScoreMethod } from '../method';

const blockInfluence: ScoreMethod = {
  async score({ probe, sequences, unit, signal, onProgress }) {
    if (unit !== 'block') return (await probe!.subBlockInfluence(sequences, { signal, onProgress }))[unit];
    return (await probe!.blockStatistics(sequences, { signal, onProgress })).influence;
  },
  fromCombinedPass: ({ statistics }) => statistics.influence,
};

export default blockInfluence;
