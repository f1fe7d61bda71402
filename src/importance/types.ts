/** @file What searches and width methods count. */
import type { DepthKind } from '../model/unit';

/** What a search removes; 'half': sub-blocks of either kind, attentions and MLPs. */
export type SearchUnit = DepthKind | 'half';

/** Blocks at either end that a search never removes. Greedy searches count them among the blocks that remain at each step. */
export interface Barriers {
  readonly first: number;
  readonly last: number;
}

/** 'kvGroup': a key/value head with all query heads that read it. */
export type HeadUnit = 'head' | 'kvGroup';
