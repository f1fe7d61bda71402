/** @file Taylor: Σ|W ⊙ ∂L/∂W|, the first-order estimate of what setting each weight to zero would change. */
import type { TaylorLayer } from '../../engine/measure/taylor';
import type { DepthKind } from '../../model/unit';
import type { CriterionRecord } from '../criterion';

const scoresOf = (layers: readonly TaylorLayer[], unit: DepthKind): number[] =>
  layers.map((layer) => (unit === 'block' ? layer.total : layer[unit]));

export const taylor: CriterionRecord = {
  id: 'taylor',
  label: 'Taylor',
  paper: 'Kim et al. 2024, Shortened LLaMA, §2.2 (Taylor+ with the + rule)',
  needs: 'gpu',
  units: ['block', 'attention', 'mlp'],
  async score({ probe, sequences, unit, signal, onProgress }) {
    const { layers } = await probe!.taylor(sequences, { signal, onProgress });
    return scoresOf(layers, unit);
  },
  fromCombinedPass: ({ taylor: { layers } }, { unit }) => scoresOf(layers, unit),
};
