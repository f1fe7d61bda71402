/** @file The searches as the page shows them; a test compares names with the registry, which stays out of the first script. */

import type { Barriers } from '../../importance/types';
import type { UnitMode } from '../../lab/page/store';
import type { SearchId } from '../../report/searches';

export interface SearchItem {
  id: SearchId;
  label: string;
  /** What it removes at each step. */
  mode: UnitMode;
  meaning: string;
  /** Blocks at either end that it keeps unless told otherwise. */
  barriers: Barriers;
}

export const searchMenu: readonly SearchItem[] = [
  {
    id: 'sleb',
    label: 'SLEB',
    mode: 'blocks',
    meaning: 'Removes the block whose loss hurts least, measures all that remain again, and goes on.',
    barriers: { first: 1, last: 1 },
  },
  {
    id: 'block-pruner',
    label: 'BlockPruner',
    mode: 'subBlocks',
    meaning: 'The same with attentions and MLPs on their own: the least missed half goes first.',
    barriers: { first: 0, last: 0 },
  },
];
