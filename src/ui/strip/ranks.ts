/** @file What the strip says about a block or a sub-block: its rank and its name. Pure. */

import { unitAt } from '../../importance/numbering';
import type { DepthMode } from '../../lab/page/store';
import type { ModelShape } from '../../model/shape';
import { unitParameters } from '../../model/unit';
import type { Scores } from '../../report/scores';
import { ordinal } from '../parts/format';

/** The rank, from 1, of every index of an order; other indices have none. */
export function ranksOf(order: readonly number[]): ReadonlyMap<number, number> {
  return new Map(order.map((index, position) => [index, position + 1]));
}

/** 'block 4', 'attention of block 4'. */
export function unitName(mode: DepthMode, index: number): string {
  if (mode === 'blocks') return `block ${index}`;
  const { layer, kind } = unitAt('half', index);
  return `${kind === 'mlp' ? 'MLP' : 'attention'} of block ${layer}`;
}

/** '4' for a block, '4a' for its attention, '4m' for its MLP. */
export function unitShort(mode: DepthMode, index: number): string {
  if (mode === 'blocks') return String(index);
  const { layer, kind } = unitAt('half', index);
  return `${layer}${kind === 'mlp' ? 'm' : 'a'}`;
}

/** The first units of an order: '6 · 5 · 7 · 8', or of sub-blocks '6a · 5m · 5a · 7m'. */
export function firstOut(order: readonly number[], mode: DepthMode = 'blocks', count = 4): string {
  return order
    .slice(0, count)
    .map((index) => unitShort(mode, index))
    .join(' · ');
}

/** What a score covers: 'block 4', 'blocks 4–6' for a span of three, 'MLP of block 4'. */
export function covers(index: number, span: number, mode: DepthMode = 'blocks'): string {
  return span > 1 ? `blocks ${index}–${index + span - 1}` : unitName(mode, index);
}

/** The fields of a ranked criterion that `scoreText` needs. */
export interface Scored {
  label: string;
  scores: Pick<Scores, 'scores'>;
  format: (score: number) => string;
}

/** 'perplexity 21.3, 1st of 12 to be removed'. */
export function scoreText({ label, scores, format }: Scored, index: number, rank: number | undefined): string {
  const score = scores.scores[index];
  if (score === undefined) return `no ${label.toLowerCase()} score for a span that starts here`;
  const place =
    rank === undefined ? 'protected by the + rule' : `${ordinal(rank)} of ${scores.scores.length} to be removed`;
  return `${label.toLowerCase()} ${format(score)}, ${place}`;
}

/** Attention's share of a block's parameters, 0…1. */
export function attentionShare(shape: ModelShape, layer: number): number {
  return unitParameters(shape, { kind: 'attention', layer }) / unitParameters(shape, { kind: 'block', layer });
}
