/**
 * @file The searches on the page. A test compares the names with the registry, which is kept out of the page's first
 * script.
 */

import type { Barriers } from '../../importance/types';
import type { UnitMode } from '../../lab/page/store';
import type { SearchId } from '../../report/searches';

export interface SearchItem {
  id: SearchId;
  label: string;
  /** The units that each step removes. */
  mode: UnitMode;
  meaning: string;
  /** Blocks at each end that the search keeps by default. */
  barriers: Barriers;
}

export const searchMenu: readonly SearchItem[] = [
  {
    id: 'sleb',
    label: 'SLEB',
    mode: 'blocks',
    meaning:
      'Greedy over blocks: remove the block whose removal raises the loss least, re-measure all remaining blocks, repeat.',
    barriers: { first: 1, last: 1 },
  },
  {
    id: 'block-pruner',
    label: 'BlockPruner',
    mode: 'subBlocks',
    meaning:
      'Greedy over attentions and MLPs: remove the sub-block whose removal raises the loss least, re-measure, repeat.',
    barriers: { first: 0, last: 0 },
  },
];
