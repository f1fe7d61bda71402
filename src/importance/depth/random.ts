/** @file Random scores from a seed: the baseline that every criterion has to beat. */
import { createRandom } from '../../numerics/random';
import type { ScoreMethod } from '../method';

const random: ScoreMethod = {
  async score({ shape, seed }) {
    const rng = createRandom(seed);
    return shape.layers.map(() => rng());
  },
};

export default random;
