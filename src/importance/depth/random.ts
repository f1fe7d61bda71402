/** @file Random scores from a seed: the baseline that every criterion has to beat. */
import { createRandom } from '../../numerics/random';
import type { CriterionRecord } from '../criterion';

export const random: CriterionRecord = {
  id: 'random',
  label: 'Random',
  paper: 'baseline',
  needs: 'nothing',
  units: ['block', 'attention', 'mlp'],
  async score({ shape, seed }) {
    const rng = createRandom(seed);
    return shape.layers.map(() => rng());
  },
};
