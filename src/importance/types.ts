/** @file The names of criteria, of width methods and of what they score. */
import type { DepthKind } from '../model/unit';

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

/** What a search removes; 'half': sub-blocks of either kind, attentions and MLPs. */
export type SearchUnit = DepthKind | 'half';

/** Blocks at either end that a search never removes. Of greedy searches: of those that remain at each step. */
export interface Barriers {
  readonly first: number;
  readonly last: number;
}

export type WidthMethod = 'wanda-sp' | 'flap' | 'llm-pruner' | 'magnitude-sp' | 'random';

/** 'kvGroup': a key/value head with all query heads that read it. */
export type HeadUnit = 'head' | 'kvGroup';
