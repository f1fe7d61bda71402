/** @file The order in which the chosen criterion removes units. Pure. */
import { protectedBlocks, removalOrder } from '../../importance/order';
import type { LabState } from './store';
import { indicesOfBlocks, joined } from './subBlocks';

type Ranking = Pick<
  LabState,
  'unitMode' | 'criterion' | 'subBlockCriterion' | 'scores' | 'subBlockScores' | 'plus' | 'model'
>;

/** Single blocks or sub-blocks, the one to remove first in front, with or without the + rule; none for heads and neurons. */
export function proposalOrder(state: Ranking): number[] {
  const { unitMode, scores, subBlockScores, model, plus } = state;
  if (!model) return [];
  const kept = plus ? protectedBlocks(model.shape.layers.length) : [];
  if (unitMode === 'width') return [];
  if (unitMode === 'blocks') return removalOrder(scores[state.criterion]?.scores ?? [], kept);
  return removalOrder(joined(subBlockScores[state.subBlockCriterion] ?? {})?.scores ?? [], indicesOfBlocks(kept));
}
