/** @file One number of a report beside the same number measured again: the comparison of each kind. Pure. */
import type { DeviceLabel } from '../../benchmark/deviceLabel';
import { labelOf, widthMethods } from '../../importance/methods';
import { unitAt } from '../../importance/numbering';
import type { SearchStep } from '../../importance/search/found';
import type { SearchUnit } from '../../importance/types';
import type { ComparisonRow, LatencyResult, PerplexityResult } from '../results';
import type { Scores, WidthScores } from '../scores';
import type { EvolutionResult } from '../searches';
import { compareLists, deviationOf, perplexityTolerance, scoreTolerance, spearman, toleranceOf } from './tolerance';

/** One number of a report beside the same number measured here. */
export interface ReproducedValue {
  /** Which number it is, in words: 'Perplexity of “−1” (wgsl)'. */
  value: string;
  kind: 'score' | 'perplexity' | 'task' | 'latency';
  /** What the numbers count: 'score' where only the criterion knows, 'share' of right answers, 0…1, '×' for speed-ups. */
  unit: 'score' | 'perplexity' | 'share' | 'ms' | '×';
  /** Id of the variant in the report; null for a criterion's scores. */
  variant: string | null;
  /** Of a criterion's scores: the unit that deviates most for what the criterion allows. Of a search: its last perplexity that compares. */
  reported: number;
  /** Null where it could not be measured here: `why` says the reason. */
  here: number | null;
  /** |here − reported| / |reported|; of a criterion's scores that of the unit. Null without `here`. */
  deviation: number | null;
  /** Whether the deviation is within what other hardware and the digits of a link explain; null for times, which belong to their device. */
  agrees: boolean | null;
  /** Spearman's correlation of the two orders, of a criterion's scores. */
  rank?: number;
  /** Why there is no number here, or what a reader has to know of it. */
  why?: string;
  reportedOn: DeviceLabel | null;
  hereOn: DeviceLabel | null;
}

const unitNames: Readonly<Record<SearchUnit, string>> = {
  block: 'blocks',
  attention: 'attentions',
  mlp: 'MLPs',
  half: 'attentions and MLPs',
};
const partNames = { block: 'block', attention: 'attention', mlp: 'MLP' } as const;

/** 'Taylor, blocks', 'Angular distance, blocks, spans of 2'. */
export function scoresName({ criterion, unit, window: span, options, protected: kept }: Scores): string {
  const plus = kept.length > 0 ? ', + rule' : '';
  const of = options?.of === undefined || options.of === 'base' ? '' : `, of variant ${options.of}`;
  return `Scores by ${labelOf(criterion)}, ${unitNames[unit]}${span > 1 ? `, spans of ${span}` : ''}${plus}${of}`;
}

/** 'Scores by FLAP, heads and neurons'. */
export function widthName({ method, neurons, options }: WidthScores): string {
  const label = widthMethods.find(({ id }) => id === method)?.label ?? method;
  const published = options?.asPublished ? ', as published' : '';
  return `Scores by ${label}, heads${numbersOf(neurons) > 0 ? ' and neurons' : ''}${published}`;
}

export const rowName = ({ variant, name }: Pick<ComparisonRow, 'variant' | 'name'>): string =>
  variant === 'base' ? 'the original model' : `“${name}”`;

const empty = { here: null, deviation: null, agrees: null, hereOn: null } as const;

/** The value of a criterion's scores before, or without, those measured here. */
export function scoresReported(reported: Scores): ReproducedValue {
  const value = scoresName(reported);
  const first = reported.scores[reported.order[0] ?? 0] ?? Number.NaN;
  const fields = { value, kind: 'score', unit: 'score', variant: null, reported: first } as const;
  return { ...fields, ...empty, reportedOn: reported.device };
}

export function scoresValue(reported: Scores, here: Scores, half: boolean): ReproducedValue {
  const value = scoresReported(reported);
  const worst = compareLists(reported.scores, here.scores, scoreTolerance(reported.criterion, half));
  if (worst === null) return { ...value, hereOn: here.device, why: otherLength(reported.scores, here.scores) };
  const { index, agrees, rank, deviation } = worst;
  const { kind, layer } = unitAt(reported.unit, index);
  return {
    ...value,
    ...{ reported: worst.reported, here: worst.here, deviation, agrees, rank, hereOn: here.device },
    why: mostOf(reported.scores.length, `${partNames[kind]} ${layer}`, deviation),
  };
}

/** Which of many scores the row tells. */
const mostOf = (count: number, unit: string, deviation: number): string =>
  deviation === 0 ? `All ${count} scores are equal.` : `Of ${count} scores, that of ${unit} deviates most.`;

const numbersOf = (lists: readonly (readonly number[])[]): number => lists.reduce((sum, list) => sum + list.length, 0);

export function widthReported(reported: WidthScores): ReproducedValue {
  const first = reported.heads.find((list) => list.length > 0)?.[0] ?? reported.neurons.flat()[0] ?? Number.NaN;
  const fields = { value: widthName(reported), kind: 'score', unit: 'score', variant: null, reported: first } as const;
  return { ...fields, ...empty, reportedOn: reported.device };
}

/** A link may hold the scores of heads alone: those that both have are compared. */
export function widthValue(reported: WidthScores, here: WidthScores, half: boolean): ReproducedValue {
  const value = { ...widthReported(reported), hereOn: here.device };
  const withNeurons = numbersOf(reported.neurons) > 0;
  const joined = ({ heads, neurons }: WidthScores): number[][] => (withNeurons ? [...heads, ...neurons] : [...heads]);
  const [before, now] = [joined(reported), joined(here)];
  if (before.some((list, at) => list.length !== now[at]?.length)) {
    return { ...value, why: otherLength(before.flat(), now.flat()) };
  }
  // Heads and neurons are never ranked against each other here: each list has its own floor.
  const parts = before.flatMap((list, at) => {
    const worst = compareLists(list, now[at]!, scoreTolerance(reported.method, half));
    return worst ? [{ ...worst, at }] : [];
  });
  if (parts.length === 0) return { ...value, why: 'The report holds no score of it.' };
  const worst = parts.reduce((a, b) =>
    (Number(a.agrees) - Number(b.agrees) || b.deviation - a.deviation) > 0 ? b : a,
  );
  const layer = worst.at % Math.max(1, reported.heads.length);
  const what = worst.at < reported.heads.length ? 'head' : 'neuron';
  return {
    ...value,
    ...{ reported: worst.reported, here: worst.here, deviation: worst.deviation },
    agrees: parts.every(({ agrees }) => agrees),
    rank: spearman(before.flat(), now.flat()),
    why: mostOf(before.flat().length, `${what} ${worst.index} of block ${layer}`, worst.deviation),
  };
}

/** What of a greedy search is compared. */
export interface Searched {
  readonly criterion: string;
  readonly steps: readonly SearchStep[];
  readonly device: DeviceLabel;
}

export const searchName = (criterion: string): string => `Search by ${labelOf(criterion)}`;

export function searchReported({ criterion, steps, device }: Searched): ReproducedValue {
  const reported = steps.at(-1)?.perplexity ?? Number.NaN;
  const fields = { value: searchName(criterion), kind: 'score', unit: 'perplexity', variant: null, reported } as const;
  return { ...fields, ...empty, reportedOn: device };
}

const stepName = ({ part, layer }: SearchStep): string => `${partNames[part]} ${layer}`;

/** Both took the same units in the same order, or one took a unit that was as good as the other's. */
export function searchValue(reported: Searched, here: Searched, half: boolean): ReproducedValue {
  const value = { ...searchReported(reported), hereOn: here.device };
  const tolerance = scoreTolerance(reported.criterion, half);
  const same = (a: SearchStep, b: SearchStep | undefined): boolean => a.layer === b?.layer && a.part === b.part;
  const split = reported.steps.findIndex((step, at) => !same(step, here.steps[at]));
  const last = split < 0 ? reported.steps.length - 1 : split;
  const [before, now] = [reported.steps[last], here.steps[last]];
  if (!before || !now) return { ...value, why: otherLength(reported.steps, here.steps) };
  const deviations = reported.steps
    .slice(0, last + 1)
    .map((step, at) => deviationOf(step.perplexity, here.steps[at]!.perplexity));
  const deviation = Math.max(...deviations);
  const agrees = deviation <= tolerance;
  const numbers = { reported: before.perplexity, here: now.perplexity, deviation, agrees };
  if (split < 0) return { ...value, ...numbers, why: `The same ${last + 1} steps in the same order.` };
  const choice = `Step ${last + 1} removed ${stepName(before)} in the report, ${stepName(now)} here`;
  return { ...value, ...numbers, why: `${choice}${agrees ? ', and both are as good: a tie' : ''}.` };
}

type Evolved = Pick<EvolutionResult, 'removed' | 'perplexity' | 'device'>;

export function evolutionReported({ perplexity, device }: Evolved): ReproducedValue {
  const fields = { value: searchName('evopress'), kind: 'score', unit: 'perplexity', variant: null } as const;
  return { ...fields, reported: perplexity ?? Number.NaN, ...empty, reportedOn: device };
}

/** Both found the same set, or sets that are as good. */
export function evolutionValue(reported: Evolved, here: Evolved, half: boolean): ReproducedValue {
  const value = { ...evolutionReported(reported), hereOn: here.device };
  const now = here.perplexity ?? Number.NaN;
  const deviation = deviationOf(value.reported, now);
  const agrees = deviation <= scoreTolerance('evopress', half);
  const key = ({ removed }: Evolved): string =>
    removed
      .map(({ part, layer }) => `${layer} ${part}`)
      .sort()
      .join(', ');
  const isSame = key(reported) === key(here);
  const why = isSame ? 'The same set.' : `Another set${agrees ? ', as good as the report’s' : ''}: ties led elsewhere.`;
  return { ...value, here: now, deviation, agrees, why };
}

export const perplexityName = (row: Pick<ComparisonRow, 'variant' | 'name'>, { runtime }: PerplexityResult): string =>
  `Perplexity of ${rowName(row)} (${runtime})`;

export function perplexityReported(row: ComparisonRow, reported: PerplexityResult): ReproducedValue {
  const fields = { kind: 'perplexity', unit: 'perplexity', variant: row.variant } as const;
  const numbers = { reported: reported.perplexity, ...empty, reportedOn: reported.device };
  return { value: perplexityName(row, reported), ...fields, ...numbers };
}

export function perplexityValue(
  row: ComparisonRow,
  reported: PerplexityResult,
  here: PerplexityResult,
  half: boolean,
): ReproducedValue {
  const deviation = deviationOf(reported.perplexity, here.perplexity);
  const trained = row.recipe.some(({ kind }) => kind === 'retrain');
  const agrees = deviation <= toleranceOf(reported, here, half, trained);
  const value = perplexityReported(row, reported);
  return { ...value, here: here.perplexity, deviation, agrees, hereOn: here.device };
}

/** Largest deviation of a perplexity in exact arithmetic, for sentences: '0.2 %'. */
export const perplexityBound = `${perplexityTolerance * 100} %`;

/** Why no time agrees or differs. */
export const anotherDevices = 'another device’s';

/** The values of one timing: time per token, or of the whole where nothing was decoded, and the speed-up where there is one. */
export function latencyValues(
  row: ComparisonRow,
  reported: LatencyResult,
  here: LatencyResult | null,
): ReproducedValue[] {
  const perToken = reported.newTokens > 1;
  const time = (result: LatencyResult): number => (perToken ? result.decodeMsPerToken : result.latencyMs);
  const place = `${rowName(row)}, batch ${reported.batch} (${reported.runtime})`;
  const value = (name: string, unit: 'ms' | '×', before: number, now: number | null): ReproducedValue => ({
    value: `${name} ${place}`,
    ...{ kind: 'latency', unit, variant: row.variant, reported: before, here: now },
    deviation: now === null ? null : deviationOf(before, now),
    ...{ agrees: null, why: anotherDevices, reportedOn: reported.device, hereOn: here?.device ?? null },
  });
  const times = value(perToken ? 'Time per token of' : 'Time of', 'ms', time(reported), here && time(here));
  if (!reported.speedUp) return [times];
  return [times, value('Speed-up of', '×', reported.speedUp.ratio, here?.speedUp?.ratio ?? null)];
}

function otherLength(reported: readonly unknown[], here: readonly unknown[]): string {
  return `The report has ${reported.length} numbers, here are ${here.length}.`;
}
