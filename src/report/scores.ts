/** @file Scores as `lab.importance` and `lab.widthImportance` return them. Every score reads the same way: low = remove first. */
import type { DeviceLabel } from '../benchmark/deviceLabel';
import type { Criterion, WidthId } from '../importance/methods';
import type { Evolution, EvolutionChoice, EvolutionPoint, SearchStep } from '../importance/search/found';
import type { Barriers, HeadUnit, SearchUnit } from '../importance/types';
import { flag, list, mapped, object, oneOf, type Schema } from '../io/schema';
import type { UnitJson } from '../model/unit';
import { type HeadRemoval, headRemovals, type WidthMultiple, widthMultiples } from '../pruning/widthRule';
import {
  amount,
  amountOrInfinity,
  amountOrNull,
  amounts,
  barriers,
  count,
  criterion,
  deviceLabel,
  most,
  name,
  renamed,
  searchUnit,
  widthMethod,
} from './fields';
import { type CalibrationInfo, calibrationInfo } from './texts';

/** What distinguishes two measurements by one criterion on one calibration. Absent options have their defaults. */
export interface ScoreOptions {
  /** 'half', for 'evopress': sub-blocks of either kind. */
  unit?: SearchUnit;
  /** Id of the variant that is scored; the base without it. Indices stay those of the base; removed units have NaN and no place in the order. */
  of?: string;
  /** Consecutive blocks, for 'angular'. */
  window?: number;
  /** Protect the first four and the last two blocks. */
  plus?: boolean;
  /** How many units a search removes. */
  count?: number;
  /** Blocks at either end that a search never removes: SLEB's are { first: 1, last: 1 } of those that remain. */
  barriers?: Barriers;
  /** Seed of 'random' and 'evopress'; the calibration's without it. */
  seed?: number;
  /** Of 'evopress': generations after the first, random one (default: as many as EvoPress takes, count · rest / 1.5). */
  generations?: number;
  /** Of 'evopress': sets that a generation tries (default 16). */
  offspring?: number;
  /** Of 'evopress': sets left after each stage of a generation, [4, 1] by default. */
  survivors?: readonly number[];
  /** Of 'evopress': calibration tokens of each stage, a quarter and all by default. */
  tokens?: readonly number[];
}

export interface Scores {
  readonly criterion: Criterion;
  /** 'block' for 'block-pruner', although its scores count sub-blocks. */
  readonly unit: SearchUnit;
  /**
   * One per block; for 'angular' with window n one per start, that is layers − n + 1. Of a search: the number of the
   * step that removed the unit; 'block-pruner' and the unit 'half' count sub-blocks (the attention of block l is 2 l, its
   * MLP 2 l + 1). For 'evopress': 0 for the units of the set that it found, 1 for the others.
   */
  readonly scores: number[];
  /**
   * Unit indices, the one to remove first in front; protected ones are absent. For 'evopress' the set that it found,
   * ascending: the set is removed as a whole.
   */
  readonly order: number[];
  /** The base's score on the same tokens, if the criterion has such a number ('ppl'). */
  readonly reference?: number;
  /** Indices that the `+` rule keeps (first four, last two); empty without it. */
  readonly protected: number[];
  /** Consecutive blocks per score ('angular'); 1 otherwise. */
  readonly window: number;
  /** Of a search: what each step removed and what remained. */
  readonly steps?: SearchStep[];
  /** Of 'evopress': how it found its set, and how good that is. */
  readonly evolution?: Evolution;
  /** Of a search: the blocks at either end that it did not remove. */
  readonly barriers?: Barriers;
  readonly calibration: CalibrationInfo;
  readonly milliseconds: number;
  readonly peakGpuBytes: number;
  readonly device: DeviceLabel;
  /** What was asked; absent in scores of earlier versions. */
  readonly options?: ScoreOptions;
}

/** What distinguishes two measurements by one width method on one calibration. Absent options have their defaults. */
export interface WidthScoreOptions {
  /** Seed of 'random'; the calibration's without it. */
  seed?: number;
  /** Of 'flap': the fluctuation by the official code's recurrence over the samples. */
  asPublished?: boolean;
  /** Of 'wanda-sp': each block is scored on what the blocks before it give after these options pruned them. */
  sequential?: boolean;
  ratio?: number;
  roundTo?: WidthMultiple;
  heads?: HeadRemoval;
}

/** How much every head and neuron of the base matters, by layer. The list of a missing sub-block is empty. */
export interface WidthScores {
  readonly method: WidthId;
  /** Of each layer a score per query head, or by 'llm-pruner' per key/value head. */
  readonly heads: number[][];
  /** Of each layer a score per MLP neuron. */
  readonly neurons: number[][];
  readonly headUnit: HeadUnit;
  readonly calibration: CalibrationInfo;
  readonly milliseconds: number;
  readonly peakGpuBytes: number;
  readonly device: DeviceLabel;
  /** The options of the request. */
  readonly options?: WidthScoreOptions;
  /** `neurons` holds a few quantiles of each layer's scores, ascending, or nothing: a link had no room for more. */
  readonly thinned?: true;
}

const unit: Schema<UnitJson> = object({ layer: count, part: oneOf(['block', 'attention', 'mlp']) });
export const units: Schema<UnitJson[]> = list(unit, 0, most.units);

const step: Schema<SearchStep> = object({
  layer: count,
  part: oneOf(['block', 'attention', 'mlp']),
  perplexity: amountOrInfinity,
});
export const steps: Schema<SearchStep[]> = list(step, 0, most.units);

const point: Schema<EvolutionPoint> = object({ generation: count, kl: amountOrInfinity, evaluations: count });
export const trace: Schema<EvolutionPoint[]> = list(point, 0, most.generations);

export const stages = list(count, 0, most.stages);
export const evolutionChoice: Schema<EvolutionChoice> = object({
  unit: searchUnit,
  count,
  generations: count,
  offspring: count,
  survivors: stages,
  tokens: stages,
  seed: count,
});

/** Earlier versions wrote `apart` for `separate`. */
export const passes: Schema<Evolution['passes']> = renamed(
  'apart',
  'separate',
  object({ made: count, separate: count }),
);

const evolution: Schema<Evolution> = object({
  removed: units,
  trace,
  choice: evolutionChoice,
  perplexity: amountOrInfinity,
  passes,
});

const options: Schema<ScoreOptions> = object(
  {},
  {
    ...{ unit: searchUnit, of: name, window: count, plus: flag, count, barriers, seed: count },
    ...{ generations: count, offspring: count, survivors: stages, tokens: stages },
  },
);

const indices = list(count, 0, most.units);

export const scores: Schema<Scores> = mapped(
  object(
    {
      ...{ criterion, unit: searchUnit, scores: list(amountOrNull, 0, most.units), order: indices },
      ...{ protected: indices, window: count, calibration: calibrationInfo },
      ...{ milliseconds: amount, peakGpuBytes: amount, device: deviceLabel },
    },
    { reference: amountOrInfinity, steps, evolution, barriers, options },
  ),
  (found) => ({ ...found, scores: withoutNulls(found.scores, found.order) }),
);

/**
 * Scores whose non-finite ones `JSON.stringify` turned into null. The order tells them apart: NaN has no place in it,
 * -Infinity comes before every finite score, and Infinity after.
 */
function withoutNulls(values: readonly (number | null)[], order: readonly number[]): number[] {
  const firstFinite = order.findIndex((index) => values[index] !== null);
  const place = new Map(order.map((index, position) => [index, position]));
  return values.map((value, index) => {
    if (value !== null) return value;
    const position = place.get(index);
    if (position === undefined) return Number.NaN;
    return position < firstFinite ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  });
}

const byLayer = list(amounts(most.neurons), 0, most.units);

export const widthOptions: Schema<WidthScoreOptions> = object(
  {},
  {
    ...{ seed: count, asPublished: flag, sequential: flag, ratio: amount },
    ...{ roundTo: oneOf(widthMultiples), heads: oneOf(headRemovals) },
  },
);

export const widthScores: Schema<WidthScores> = object(
  {
    ...{ method: widthMethod, heads: byLayer, neurons: byLayer, headUnit: oneOf(['head', 'kvGroup']) },
    ...{ calibration: calibrationInfo, milliseconds: amount, peakGpuBytes: amount, device: deviceLabel },
  },
  { options: widthOptions, thinned: oneOf([true]) },
);
