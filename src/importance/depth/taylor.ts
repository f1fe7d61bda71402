/** @file Taylor: Σ|W ⊙ ∂L/∂W|, the first-order estimate of what setting each weight to zero would change. */
import type { CriterionRecord } from '../criterion';

export const taylor: CriterionRecord = {
  id: 'taylor',
  label: 'Taylor',
  paper: 'Kim et al. 2024, Shortened LLaMA, §2.2 (Taylor+ with the + rule)',
  needs: 'gpu',
  units: ['block', 'attention', 'mlp'],
  async score({ probe, windows, unit, signal, onProgress }) {
    const { layers } = await probe!.taylor(windows, { signal, onProgress });
    return layers.map((layer) => (unit === 'block' ? layer.total : layer[unit]));
  },
};
