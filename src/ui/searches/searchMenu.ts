/** @file The searches that the page offers, from the registry of methods. */
import { evolutionMethods, type GreedyEntry, greedyMethods } from '../../importance/methods';
import type { DepthMode } from '../../lab/page/store';

export interface SearchItem extends Pick<GreedyEntry, 'id' | 'label' | 'meaning' | 'barriers'> {
  /** What it removes at each step. */
  readonly mode: DepthMode;
}

/** The greedy searches. */
export const searchMenu: readonly SearchItem[] = greedyMethods.map((method) => ({
  ...method,
  mode: method.units[0] === 'block' ? 'blocks' : 'subBlocks',
}));

/** The evolutionary search. The page keeps one result of it, so that it offers one. */
export const evolutionItem = evolutionMethods[0];
