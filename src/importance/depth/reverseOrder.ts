/**
 * @file Reverse order: removes the last blocks first. Needs no data. Gromov et al. 2024 use the same heuristic but keep the
 * very last block; the + rule keeps the last two.
 */
import type { ScoreMethod } from '../method';

const reverseOrder: ScoreMethod = {
  async score({ shape }) {
    return shape.layers.map((_, layer) => shape.layers.length - 1 - layer);
  },
};

export default reverseOrder;
