/** @file What has to run to measure a report's numbers again, in order: the cheap first, times last. Pure. */
import type { DeviceLabel } from '../../benchmark/deviceLabel';
import { criteria, labelOf } from '../../importance/methods';
import type { SearchStep } from '../../importance/search/found';
import type { ModelRecord } from '../record';
import type { ComparisonRow, LatencyResult, PerplexityResult, TaskResult } from '../results';
import type { ScoreOptions, Scores, WidthScores } from '../scores';
import type { EvolutionResult } from '../searches';
import { answersName, answersReported } from './tasks';
import {
  evolutionReported,
  latencyValues,
  perplexityName,
  perplexityReported,
  type ReproducedValue,
  rowName,
  scoresName,
  scoresReported,
  searchName,
  searchReported,
  widthName,
  widthReported,
} from './values';

interface Common {
  readonly name: string;
  /** What it took on the report's device; null where the report does not tell. */
  readonly milliseconds: number | null;
}

export interface GreedySearch {
  readonly criterion: Scores['criterion'];
  readonly steps: readonly SearchStep[];
  readonly options: ScoreOptions;
  readonly hash: string | null;
  readonly device: DeviceLabel;
}

export type Part = Common &
  (
    | { readonly kind: 'scores'; readonly scores: Scores }
    | { readonly kind: 'width'; readonly scores: WidthScores }
    | { readonly kind: 'variants'; readonly row: ComparisonRow }
    | { readonly kind: 'perplexities'; readonly row: ComparisonRow; readonly result: PerplexityResult }
    | { readonly kind: 'tasks'; readonly row: ComparisonRow; readonly result: TaskResult }
    | { readonly kind: 'searches'; readonly greedy: GreedySearch }
    | { readonly kind: 'searches'; readonly evolution: EvolutionResult }
    | { readonly kind: 'latencies'; readonly row: ComparisonRow; readonly results: readonly LatencyResult[] }
  );

const kindOf = (criterion: string): string | undefined => criteria.find(({ id }) => id === criterion)?.kind;
const timeOf = (milliseconds: number): number | null => (milliseconds > 0 ? milliseconds : null);

/** The parts of a report. Variants stand before everything that needs them. */
export function partsOf(record: ModelRecord): Part[] {
  const { scores, widthScores, comparison } = record;
  const once = scores.filter(({ criterion }) => kindOf(criterion) === 'score' || kindOf(criterion) === undefined);
  const ofBase = once.filter(({ options }) => (options?.of ?? 'base') === 'base');
  const ofVariants = once.filter((each) => !ofBase.includes(each));
  const made = comparison.filter(({ variant }) => variant !== 'base');
  const perplexities = comparison.flatMap((row) => Object.values(row.perplexity).map((result) => ({ row, result })));
  return [
    ...inTime(ofBase.map(scoresPart)),
    ...made.map(
      (row): Part => ({ kind: 'variants', name: `Variant ${rowName(row)}`, milliseconds: trainingTime(row), row }),
    ),
    ...inTime(perplexities.map(perplexityPart)),
    ...inTime(comparison.flatMap((row) => (row.tasks ?? []).map((result) => taskPart(row, result)))),
    ...inTime(ofVariants.map(scoresPart)),
    ...inTime(
      widthScores.map((each): Part => {
        return { kind: 'width', name: widthName(each), milliseconds: timeOf(each.milliseconds), scores: each };
      }),
    ),
    ...inTime(searchParts(record)),
    ...inTime(comparison.flatMap(latencyParts)),
  ];
}

/** What the last training took: the only part of making a variant whose time a report tells. */
function trainingTime({ recipe }: ComparisonRow): number | null {
  const last = recipe.at(-1);
  return last?.kind === 'retrain' && last.seconds !== undefined ? last.seconds * 1000 : null;
}

const scoresPart = (scores: Scores): Part => ({
  kind: 'scores',
  name: scoresName(scores),
  milliseconds: timeOf(scores.milliseconds),
  scores,
});

const perplexityPart = ({ row, result }: { row: ComparisonRow; result: PerplexityResult }): Part => ({
  kind: 'perplexities',
  name: perplexityName(row, result),
  milliseconds: timeOf(result.milliseconds),
  ...{ row, result },
});

const taskPart = (row: ComparisonRow, result: TaskResult): Part => ({
  kind: 'tasks',
  name: answersName(row, result),
  milliseconds: timeOf(result.milliseconds),
  ...{ row, result },
});

/** Shortest first; those of unknown time keep their place at the end. */
function inTime(parts: Part[]): Part[] {
  const time = ({ milliseconds }: Part): number => milliseconds ?? Number.MAX_VALUE;
  return parts.sort((a, b) => time(a) - time(b));
}

/** Searches that ended, each once: a record may hold one among its scores and among its searches. Of the others nothing compares. */
function searchParts({ scores, searches, evolution }: ModelRecord): Part[] {
  const greedy = new Map<string, GreedySearch & { readonly milliseconds: number }>();
  for (const [criterion, found] of Object.entries(searches)) {
    if (!found.complete || found.steps.length === 0) continue;
    const { steps, plus, barriers, milliseconds, device, calibration } = found;
    const options: ScoreOptions = { count: steps.length, ...(plus && { plus }), ...(barriers && { barriers }) };
    const search = { criterion: criterion as Scores['criterion'], steps, options, milliseconds, device };
    greedy.set(criterion, { ...search, hash: calibration?.hash ?? null });
  }
  for (const each of scores) {
    const { criterion, steps, milliseconds, device, calibration, barriers, protected: kept } = each;
    if (kindOf(criterion) !== 'greedy' || !steps || greedy.has(criterion)) continue;
    const said = each.options ?? { ...(barriers && { barriers }), ...(kept.length > 0 && { plus: true }) };
    const options = { ...said, count: steps.length };
    greedy.set(criterion, { criterion, steps, options, hash: calibration.hash, milliseconds, device });
  }
  const parts = [...greedy.values()].map(({ milliseconds, ...search }): Part => {
    return { kind: 'searches', name: searchName(search.criterion), milliseconds: timeOf(milliseconds), greedy: search };
  });
  if (!evolution?.complete) return parts;
  const milliseconds = timeOf(evolution.milliseconds);
  return [...parts, { kind: 'searches', name: `Search by ${labelOf('evopress')}`, milliseconds, evolution }];
}

/** One part per protocol of a row: its batch sizes are timed together. */
function latencyParts(row: ComparisonRow): Part[] {
  const trials = new Map<string, LatencyResult[]>();
  for (const result of row.latency) {
    const { runtime, promptTokens, newTokens, runs, warmups, precision = 'f32', speedUp } = result;
    const key = JSON.stringify([runtime, promptTokens, newTokens, runs, warmups, precision, speedUp?.against ?? null]);
    trials.set(key, [...(trials.get(key) ?? []), result]);
  }
  return [...trials.values()].map((results): Part => {
    const taken = results.map(
      ({ latencyMs, runs, warmups, speedUp }) => latencyMs * (runs + warmups) * (speedUp ? 2 : 1),
    );
    const name = `Latency of ${rowName(row)} (${results[0]!.runtime})`;
    return { kind: 'latencies', name, milliseconds: taken.reduce((sum, each) => sum + each, 0), row, results };
  });
}

/** The values of a part without a number measured here, and why. A variant has none of its own. */
export function missing(part: Part, why: string): ReproducedValue[] {
  return reportedOf(part).map((value) => ({ ...value, why }));
}

function reportedOf(part: Part): ReproducedValue[] {
  switch (part.kind) {
    case 'scores':
      return [scoresReported(part.scores)];
    case 'width':
      return [widthReported(part.scores)];
    case 'variants':
      return [];
    case 'perplexities':
      return [perplexityReported(part.row, part.result)];
    case 'tasks':
      return [answersReported(part.row, part.result)];
    case 'searches':
      return ['greedy' in part ? searchReported(part.greedy) : evolutionReported(part.evolution)];
    case 'latencies':
      return part.results.flatMap((result) => latencyValues(part.row, result, null));
  }
}

/** What the report's own numbers took on its device, ms; null where it tells nothing of the time. */
export function reportedTime(parts: readonly Part[]): number | null {
  const known = parts.flatMap(({ milliseconds }) => (milliseconds === null ? [] : [milliseconds]));
  return known.length === 0 ? null : known.reduce((sum, each) => sum + each, 0);
}

/** How the whole came out, in one sentence. */
export function summaryOf(values: readonly ReproducedValue[]): string {
  const judged = values.filter(({ kind }) => kind !== 'latency');
  const agree = judged.filter(({ agrees }) => agrees === true).length;
  const differ = judged.filter(({ agrees }) => agrees === false).length;
  const open = judged.length - agree - differ;
  if (judged.length === 0) return 'The report holds no score, no perplexity and no task.';
  const parts = [
    ...(differ > 0 ? [`${differ} ${differ === 1 ? 'differs' : 'differ'}`] : []),
    ...(open > 0 ? [`${open} could not be measured here`] : []),
  ];
  const kinds = judged.some(({ kind }) => kind === 'task')
    ? 'scores, perplexities and tasks'
    : 'scores and perplexities';
  const all = `${judged.length} ${kinds}`;
  if (parts.length === 0) return `All ${all} agree with this device’s.`;
  return `Of ${all}, ${agree} ${agree === 1 ? 'agrees' : 'agree'} with this device’s; ${parts.join(', ')}.`;
}
