/**
 * @file State shared by all parts of the strip: the chosen criterion's scores, their order under the + rule, their
 * colours.
 */
import { useMemo } from 'react';
import { type Criterion, labelOf } from '../../importance/methods';
import { protectedBlocks, removalOrder } from '../../importance/order';
import type { DepthMode, TaskKey } from '../../lab/page/store';
import { indicesOfBlocks, type JointScores, joined } from '../../lab/page/subBlocks';
import { comparable } from '../parts/format';
import { useLab } from '../parts/useLab';
import { type ColourScale, colourScale } from './colourScale';
import { menuOf } from './menu';

export interface Ranked {
  /** What an index counts: blocks, or sub-blocks (the attention of block l is 2 l, its MLP 2 l + 1). */
  mode: DepthMode;
  criterion: Criterion;
  label: string;
  scores: JointScores;
  /** Start indices in order of removal, without those that the + rule protects. */
  order: readonly number[];
  scale: ColourScale;
  /** Writes a score with enough decimals to distinguish it from the others. */
  format: (score: number) => string;
}

/** The task that measures a criterion on the given units. */
export function measuringKey(mode: DepthMode, criterion: Criterion): TaskKey {
  return mode === 'blocks' ? `importance:${criterion}` : `subBlocks:${criterion}`;
}

/** The criterion that colours the model and proposes cuts, in the current unit mode. */
export function useChosenCriterion(): Criterion {
  return useLab((state) => (state.unitMode === 'blocks' ? state.criterion : state.subBlockCriterion));
}

/** Blocks that are protected from proposals. */
export function useProtected(): readonly number[] {
  const plus = useLab((state) => state.plus);
  const layers = useLab((state) => state.model?.shape.layers.length ?? 0);
  return useMemo(() => (plus ? protectedBlocks(layers) : []), [plus, layers]);
}

/** The criterion that colours the model: the chosen one, or the first measured one until the chosen one is measured. */
export function useShownCriterion(mode: DepthMode): Criterion {
  const chosen = useChosenCriterion();
  return useLab(({ scores, subBlockScores }) => {
    const there = (id: Criterion) => Boolean(mode === 'blocks' ? scores[id] : joined(subBlockScores[id] ?? {}));
    if (there(chosen)) return chosen;
    return menuOf(mode).find(({ id }) => there(id))?.id ?? chosen;
  });
}

/** The scores of one criterion over the given units, ready to draw; null until they are measured. */
export function useRanked(mode: DepthMode, criterion: Criterion): Ranked | null {
  const blockScores = useLab((state) => state.scores[criterion]);
  const subBlockScores = useLab((state) => state.subBlockScores[criterion]);
  const kept = useProtected();
  return useMemo(() => {
    const scores = mode === 'blocks' ? blockScores : subBlockScores && joined(subBlockScores);
    if (!scores) return null;
    const scale = colourScale(scores.scores);
    return {
      mode,
      criterion,
      label: labelOf(criterion),
      scores,
      order: removalOrder(scores.scores, mode === 'blocks' ? kept : indicesOfBlocks(kept), scores.window),
      scale,
      format: comparable(scale.domain),
    };
  }, [mode, criterion, blockScores, subBlockScores, kept]);
}
