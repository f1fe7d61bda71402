/** @file The searches as the page shows them; a test compares names with the registry, which stays out of the first script. */
import type { SearchId, UnitMode } from '../../lab/store';

export interface SearchItem {
  id: SearchId;
  label: string;
  /** What it removes at each step. */
  mode: UnitMode;
  meaning: string;
}

export const searchMenu: readonly SearchItem[] = [
  {
    id: 'sleb',
    label: 'SLEB',
    mode: 'blocks',
    meaning: 'Removes the block whose loss hurts least, measures all that remain again, and goes on.',
  },
  {
    id: 'block-pruner',
    label: 'BlockPruner',
    mode: 'halves',
    meaning: 'The same with attentions and MLPs on their own: the least missed half goes first.',
  },
];
