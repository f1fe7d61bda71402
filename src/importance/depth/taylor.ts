/** @file Taylor: Σ|W ⊙ ∂L/∂W|, the first-order estimate of what setting each weight to zero would change. */
import type { TaylorLayer } from '../../engine/measure/taylor';
import type { DepthKind } from '../../model/unit';
import type { ScoreMethod } from '../method';

const scoresOf = (layers: readonly TaylorLayer[], unit: DepthKind): number[] =>
  layers.map((layer) => (unit === 'block' ? layer.total : layer[unit]));

const taylor: ScoreMethod = {
  async score({ probe, sequences, unit, signal, onProgress }) {
    const { layers } = await probe!.taylor(sequences, { signal, onProgress });
    return scoresOf(layers, unit);
  },
  fromCombinedPass: ({ taylor: { layers } }, { unit }) => scoresOf(layers, unit),
};

export default taylor;
