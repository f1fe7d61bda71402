/** @file SLEB: removes whole blocks; the first and the last that remain are never candidates. */
import type { GreedyMethod } from '../method';

const sleb: GreedyMethod = {
  kinds: () => ['block'],
  limit: (layers) => layers,
};

export default sleb;
