/** @file A width method's scores from the store, ready to draw. */
import { useMemo } from 'react';
import { type WidthId, widthMethods } from '../../importance/methods';
import { useLab } from '../parts/useLab';
import { type WidthRanked, widthRanked } from './widthRanked';

/** Null until the method is measured. */
export function useWidthRanked(method: WidthId): WidthRanked | null {
  const scores = useLab((state) => state.widthScores[method]);
  const layers = useLab((state) => state.model?.shape.layers);
  return useMemo(() => (scores && layers ? widthRanked(scores, layers) : null), [scores, layers]);
}

/** The method that colours the model: the chosen one, or the first measured one until the chosen one is measured. */
export function useShownWidthMethod(): WidthId {
  return useLab(({ widthMethod, widthScores }) => {
    if (widthScores[widthMethod]) return widthMethod;
    return widthMethods.find(({ id }) => widthScores[id])?.id ?? widthMethod;
  });
}
