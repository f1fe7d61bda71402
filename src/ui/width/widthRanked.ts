/** @file One width method's scores, ready to draw: colours of heads, profiles of neurons, ranks. Pure. */
import { widthMethodOf } from '../../importance/methods';
import { headUnits } from '../../lab/page/width';
import { meanScore, type PageWidthScores, profileOf, scoresOfHeads } from '../../lab/page/widthScores';
import type { LayerShape } from '../../model/shape';
import { comparable } from '../parts/format';
import { type ColourScale, colourScale, rampColour } from '../strip/colourScale';

/** Quantiles of a profile: the lowest score, then every tenth of the neurons, up to the highest. */
export const profilePoints = 11;

/** A unit of heads with its score: the mean of its heads. */
export interface ScoredUnit {
  readonly block: number;
  readonly unit: number;
  readonly score: number;
}

export interface WidthRanked {
  readonly label: string;
  readonly meaning: string;
  readonly scores: PageWidthScores;
  /** [block][head], of query heads. */
  readonly heads: readonly (readonly number[])[];
  /** [block][head]: where a head lies on the ramp. */
  readonly headPositions: readonly (readonly (number | null)[])[];
  readonly headScale: ColourScale;
  /** [block][quantile] of the neurons' scores, ascending. */
  readonly profiles: readonly (readonly number[])[];
  readonly profilePositions: readonly (readonly (number | null)[])[];
  readonly neuronScale: ColourScale;
  /** Units of heads, the lowest-scored first; those without a score are absent. */
  readonly order: readonly ScoredUnit[];
  readonly formatHead: (score: number) => string;
  readonly formatNeuron: (score: number) => string;
}

/** A flat list cut again into lists of the given lengths. */
function split<T>(values: readonly T[], lengths: readonly number[]): T[][] {
  let from = 0;
  return lengths.map((length) => {
    from += length;
    return values.slice(from - length, from);
  });
}

export function widthRanked(scores: PageWidthScores, layers: readonly LayerShape[]): WidthRanked {
  const { label, meaning } = widthMethodOf(scores.method);
  const heads = layers.map((layer, index) => scoresOfHeads(scores, layer, index));
  const profiles = layers.map((_, index) => profileOf(scores.neurons[index] ?? new Float64Array(), profilePoints));
  const headScale = colourScale(heads.flat());
  const neuronScale = colourScale(profiles.flat());
  const lengths = (lists: readonly (readonly unknown[])[]): number[] => lists.map((list) => list.length);
  const order = layers
    .flatMap((layer, block) =>
      headUnits(layer).map((unit, index) => ({ block, unit: index, score: meanScore(heads[block]!, unit) })),
    )
    .filter(({ score }) => !Number.isNaN(score))
    .sort((a, b) => a.score - b.score);
  return {
    ...{ label, meaning, scores, heads, headScale, profiles, neuronScale, order },
    headPositions: split(headScale.positions, lengths(heads)),
    profilePositions: split(neuronScale.positions, lengths(profiles)),
    formatHead: comparable(headScale.domain),
    formatNeuron: comparable(neuronScale.domain),
  };
}

/** The colours of a profile as a gradient, from the lowest score to the highest; neutral without scores. */
export function profileGradient(positions: readonly (number | null)[] | undefined, direction = '90deg'): string {
  if (!positions || positions.length === 0) return 'var(--unmeasured)';
  return `linear-gradient(${direction} in oklab, ${positions.map(rampColour).join(', ')})`;
}
