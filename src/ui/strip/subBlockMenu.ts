/** @file The criteria that score attention and MLP separately; a test compares them with the registry. */
import type { Criterion } from '../../importance/types';
import { type MenuItem, menu } from './menu';

const scoringSubBlocks: ReadonlySet<Criterion> = new Set<Criterion>(['ppl', 'taylor', 'block-influence', 'random']);

/** Meanings for sub-blocks, where the sentence for blocks does not fit. */
const meanings: Partial<Record<Criterion, string>> = {
  ppl: 'Perplexity of the model without this attention or MLP. Higher means that it matters more.',
  'block-influence':
    'How much an attention or MLP rotates the hidden state: 1 − cosine similarity of its input and output.',
};

/** The menu in sub-block mode, with the same names and needs. */
export const subBlockMenu: readonly MenuItem[] = menu
  .filter(({ id }) => scoringSubBlocks.has(id))
  .map((item) => ({ ...item, meaning: meanings[item.id] ?? item.meaning }));
