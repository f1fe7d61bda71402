/** @file What the strip says about a block or a half: its rank, its words. Pure. */

import type { UnitMode } from '../../lab/page/store';
import { subBlockAt } from '../../lab/page/subBlocks';
import { layerParameters } from '../../model/count';
import type { LayerShape, ModelShape } from '../../model/shape';
import type { Scores } from '../../report/scores';
import { ordinal } from '../parts/format';

/** Rank 1… of every index of an order; absent indices have none. */
export function ranksOf(order: readonly number[]): ReadonlyMap<number, number> {
  return new Map(order.map((index, position) => [index, position + 1]));
}

/** 'block 4', 'attention of block 4'. */
export function unitName(mode: UnitMode, index: number): string {
  if (mode === 'blocks') return `block ${index}`;
  const { block, part } = subBlockAt(index);
  return `${part === 'mlp' ? 'MLP' : 'attention'} of block ${block}`;
}

/** '4'; of halves '4a' for the attention and '4m' for the MLP. */
export function unitShort(mode: UnitMode, index: number): string {
  if (mode === 'blocks') return String(index);
  const { block, part } = subBlockAt(index);
  return `${block}${part === 'mlp' ? 'm' : 'a'}`;
}

/** The first few of an order: '6 · 5 · 7 · 8', of halves '6a · 5m · 5a · 7m'. */
export function firstOut(order: readonly number[], mode: UnitMode = 'blocks', count = 4): string {
  return order
    .slice(0, count)
    .map((index) => unitShort(mode, index))
    .join(' · ');
}

/** What a score covers: 'block 4', 'blocks 4–6' for a window of three, 'MLP of block 4'. */
export function covers(index: number, span: number, mode: UnitMode = 'blocks'): string {
  return span > 1 ? `blocks ${index}–${index + span - 1}` : unitName(mode, index);
}

/** What a sentence on a score needs of a ranked criterion. */
export interface Scored {
  label: string;
  scores: Pick<Scores, 'scores'>;
  format: (score: number) => string;
}

/** 'perplexity 21.3, 1st to go of 12'. */
export function scoreText({ label, scores, format }: Scored, index: number, rank: number | undefined): string {
  const score = scores.scores[index];
  if (score === undefined) return `no ${label.toLowerCase()} score starts here`;
  const place = rank === undefined ? 'kept by proposals' : `${ordinal(rank)} to go of ${scores.scores.length}`;
  return `${label.toLowerCase()} ${format(score)}, ${place}`;
}

/** Attention's share of a block's parameters, 0…1. */
export function attentionShare(shape: ModelShape, layer: LayerShape): number {
  const attention = layerParameters(shape, { ...layer, ffn: 0 });
  return attention / (attention + layerParameters(shape, { ...layer, heads: 0, kvHeads: 0 }));
}
