/** @file What a search found, to its end or until it was cancelled. */
import type { DeviceLabel } from '../benchmark/deviceLabel';
import type { Evolution, EvolutionChoice, EvolutionState, SearchStep } from '../importance/search/found';
import type { Barriers } from '../importance/types';
import { flag, mapped, object, orNull, type Schema } from '../io/schema';
import { amount, amountOrNull, barriers, count, deviceLabel, searchUnit } from './fields';
import { passes, type Scores, stages, steps, trace, units } from './scores';
import { type CalibrationInfo, calibrationInfo } from './texts';

/** What a search found, to its end or until it was cancelled. */
export interface SearchResult {
  steps: SearchStep[];
  /** False when it was cancelled or failed on the way. */
  complete: boolean;
  /** It ran under the + rule. */
  plus: boolean;
  /** Blocks at either end that it did not remove; absent where the search used its default. */
  barriers?: Barriers;
  calibration: CalibrationInfo | null;
  milliseconds: number;
  device: DeviceLabel;
}

/** What an evolutionary search found, to its end or until it was cancelled. */
export interface EvolutionResult extends EvolutionState {
  /** What the user asked for. A search that ended gives every option. */
  asked: Partial<EvolutionChoice> & Pick<EvolutionChoice, 'unit'>;
  /** Perplexity of the found set on the calibration sequences; null where the search did not end. */
  perplexity: number | null;
  passes: Evolution['passes'] | null;
  complete: boolean;
  plus: boolean;
  barriers: Barriers;
  calibration: CalibrationInfo | null;
  milliseconds: number;
  device: DeviceLabel;
}

/** The entry of a search that ended. */
export function endedSearch(found: Scores): SearchResult {
  const { steps = [], options } = found;
  return { steps: [...steps], ...(options?.barriers && { barriers: options.barriers }), ...endedAs(found) };
}

/** The entry of an evolutionary search that ended; null for scores of another kind. */
export function endedEvolution(found: Scores): EvolutionResult | null {
  const { evolution, barriers = { first: 0, last: 0 } } = found;
  if (evolution === undefined) return null;
  const { removed, trace, choice, perplexity, passes: made } = evolution;
  return { removed, trace, asked: choice, perplexity, passes: made, barriers, ...endedAs(found) };
}

function endedAs({ protected: kept, options, calibration, milliseconds, device }: Scores) {
  const plus = options?.plus ?? kept.length > 0;
  return { complete: true, plus, calibration, milliseconds, device };
}

const circumstances = {
  complete: flag,
  plus: flag,
  calibration: orNull(calibrationInfo),
  milliseconds: amount,
  device: deviceLabel,
};

export const searchResult: Schema<SearchResult> = object({ steps, ...circumstances }, { barriers });

const asked: Schema<EvolutionResult['asked']> = object(
  { unit: searchUnit },
  { count, generations: count, offspring: count, survivors: stages, tokens: stages, seed: count },
);

/** A search that did not end has no perplexity; one that ended has Infinity where `JSON.stringify` wrote null. */
export const evolutionResult: Schema<EvolutionResult> = mapped(
  object({
    removed: units,
    trace,
    asked,
    perplexity: amountOrNull,
    passes: orNull(passes),
    barriers,
    ...circumstances,
  }),
  (found) => ({ ...found, perplexity: found.perplexity ?? (found.passes ? Number.POSITIVE_INFINITY : null) }),
);
