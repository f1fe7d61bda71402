/** @file The names of criteria, of width methods and of what they score. */

export type Criterion =
  | 'magnitude'
  | 'taylor'
  | 'ppl'
  | 'block-influence'
  | 'angular'
  | 'sleb'
  | 'block-pruner'
  | 'evopress'
  | 'random';

export type Unit = 'block' | 'attention' | 'mlp';

/** What an evolutionary search removes; 'half': attentions and MLPs, whichever. */
export type SearchUnit = Unit | 'half';

/** Blocks at either end that a search never removes. Of greedy searches: of those that remain at each step. */
export interface Barriers {
  readonly first: number;
  readonly last: number;
}

export type WidthMethod = 'wanda-sp' | 'flap' | 'llm-pruner' | 'magnitude-sp' | 'random';

/** 'kvGroup': a key/value head with all query heads that read it. */
export type HeadUnit = 'head' | 'kvGroup';
