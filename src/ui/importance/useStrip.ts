/** @file What all parts of the strip share: the chosen criterion's scores, their order under the + rule, their colours. */
import { useMemo } from 'react';
import { protectedBlocks, removalOrder } from '../../importance/order';
import type { Criterion, Scores } from '../../lab/types';
import { comparable } from '../parts/format';
import { useLab } from '../parts/useLab';
import { type ColourScale, colourScale } from './colourScale';
import { menu, menuItem } from './menu';

export interface Ranked {
  criterion: Criterion;
  label: string;
  scores: Scores;
  /** Start indices, the first to go in front, without those that the + rule keeps. */
  order: readonly number[];
  scale: ColourScale;
  /** Writes a score with the decimals that tell it from the others. */
  format: (score: number) => string;
}

/** Blocks that proposals keep right now. */
export function useProtected(): readonly number[] {
  const plus = useLab((state) => state.plus);
  const layers = useLab((state) => state.model?.shape.layers.length ?? 0);
  return useMemo(() => (plus ? protectedBlocks(layers) : []), [plus, layers]);
}

/** The criterion whose colours stand on the model: the chosen one, or until that is measured the first that is. */
export function useShownCriterion(): Criterion {
  return useLab(({ criterion, scores }) => {
    if (scores[criterion]) return criterion;
    return menu.find(({ id }) => scores[id])?.id ?? criterion;
  });
}

/** The scores of one criterion, ready to draw; null while they are not measured. */
export function useRanked(criterion: Criterion): Ranked | null {
  const scores = useLab((state) => state.scores[criterion]);
  const kept = useProtected();
  return useMemo(() => {
    if (!scores) return null;
    const scale = colourScale(scores.scores);
    return {
      criterion,
      label: menuItem(criterion).label,
      scores,
      order: removalOrder(scores.scores, kept, scores.window),
      scale,
      format: comparable(scale.domain),
    };
  }, [criterion, scores, kept]);
}
