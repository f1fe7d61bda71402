/** @file The criteria that score attention and MLP on their own; a test compares them with the registry. */
import type { Criterion } from '../../importance/types';
import { type MenuItem, menu } from './menu';

const scoringSubBlocks: ReadonlySet<Criterion> = new Set<Criterion>(['ppl', 'taylor', 'block-influence', 'random']);

/** What the number means where the block's sentence does not fit its halves. */
const meanings: Partial<Record<Criterion, string>> = {
  ppl: 'Perplexity of the model without this attention or this MLP. Higher: it was needed.',
  'block-influence': 'How far an attention or MLP turns the hidden state: 1 − cosine similarity before and behind it.',
};

/** The menu while halves are cut: names and needs are the same. */
export const subBlockMenu: readonly MenuItem[] = menu
  .filter(({ id }) => scoringSubBlocks.has(id))
  .map((item) => ({ ...item, meaning: meanings[item.id] ?? item.meaning }));
