/**
 * @file What a record does without where a link has no room for it, in this order: first what is of least use to a reader or is
 * measured again in seconds, last what costs a long time. Every step says in one sentence what it leaves out. Pure.
 */
import type { PruningPlan } from '../../pruning/plan';
import type { ModelRecord } from '../record';
import type { ComparisonRow, LatencyResult } from '../results';
import type { Scores, WidthScores } from '../scores';
import { thinnedCurves } from '../trainingCurves';

export interface Lightening {
  readonly sentence: string;
  /** The record without it; the same object where it has no such thing. */
  apply(record: ModelRecord): ModelRecord;
}

/** Quantiles that tell the scores of a block's neurons. */
const quantiles = 9;
/** Generations that tell how an evolutionary search went. */
const tracePoints = 16;

/** `count` values of an ascending or ordered list, its first and its last among them, evenly spaced. */
function spaced<T>(values: readonly T[], count: number): T[] {
  if (values.length <= count) return [...values];
  return Array.from({ length: count }, (_, at) => values[Math.round((at * (values.length - 1)) / (count - 1))]!);
}

function withQuantiles(scores: WidthScores): WidthScores {
  if (scores.thinned || scores.neurons.every(({ length }) => length <= quantiles)) return scores;
  const neurons = scores.neurons.map((layer) =>
    spaced(
      layer.filter((score) => !Number.isNaN(score)).sort((a, b) => a - b),
      quantiles,
    ),
  );
  return { ...scores, neurons, thinned: true };
}

function withoutNeurons(scores: WidthScores): WidthScores {
  if (scores.neurons.every(({ length }) => length === 0)) return scores;
  return { ...scores, neurons: scores.neurons.map(() => []), thinned: true };
}

/** The list with every item changed; the same list where none changes. */
function each<T>(items: readonly T[], change: (item: T) => T): readonly T[] {
  const changed = items.map(change);
  return changed.some((item, at) => item !== items[at]) ? changed : items;
}

function withWidths(record: ModelRecord, change: (scores: WidthScores) => WidthScores): ModelRecord {
  const widthScores = each(record.widthScores, change);
  return widthScores === record.widthScores ? record : { ...record, widthScores };
}

function withRows(record: ModelRecord, change: (row: ComparisonRow) => ComparisonRow): ModelRecord {
  const comparison = each(record.comparison, change);
  return comparison === record.comparison ? record : { ...record, comparison };
}

function withThinTraces(record: ModelRecord): ModelRecord {
  const thin = <T extends Pick<NonNullable<Scores['evolution']>, 'trace'>>(found: T): T =>
    found.trace.length <= tracePoints ? found : { ...found, trace: spaced(found.trace, tracePoints) };
  const scores = each(record.scores, (found) => {
    const evolution = found.evolution && thin(found.evolution);
    return evolution === found.evolution ? found : { ...found, evolution: evolution! };
  });
  const evolution = record.evolution && thin(record.evolution);
  return scores === record.scores && evolution === record.evolution ? record : { ...record, scores, evolution };
}

/** Baselines that nobody measures: a seed gives them, or nothing at all. */
const baselines: readonly string[] = ['random', 'reverse-order'];

function withoutBaselines(record: ModelRecord): ModelRecord {
  const scores = record.scores.filter(({ criterion }) => !baselines.includes(criterion));
  const widthScores = record.widthScores.filter(({ method }) => !baselines.includes(method));
  const same = scores.length === record.scores.length && widthScores.length === record.widthScores.length;
  return same ? record : { ...record, scores, widthScores };
}

/** The key that the most rows have. */
function mostFrequent(rows: readonly ComparisonRow[], keysOf: (row: ComparisonRow) => string[]): string | undefined {
  const counts = new Map<string, number>();
  for (const row of rows) for (const key of new Set(keysOf(row))) counts.set(key, (counts.get(key) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0];
}

function withOnePerplexity(record: ModelRecord): ModelRecord {
  const main = mostFrequent(record.comparison, ({ perplexity }) => Object.keys(perplexity));
  return withRows(record, (row) => {
    const results = Object.entries(row.perplexity);
    const kept = results.filter(([runtime]) => runtime === main);
    return results.length === 1 || kept.length === 0 ? row : { ...row, perplexity: Object.fromEntries(kept) };
  });
}

/** Timings of one way can be compared with each other. */
const wayOf = ({ runtime, precision = 'f32', promptTokens, newTokens }: LatencyResult): string =>
  [runtime, precision, promptTokens, newTokens].join(' ');

function withOneWay(record: ModelRecord): ModelRecord {
  const main = mostFrequent(record.comparison, ({ latency }) => latency.map(wayOf));
  return withRows(record, (row) => {
    const latency = row.latency.filter((result) => wayOf(result) === main);
    return latency.length === row.latency.length || latency.length === 0 ? row : { ...row, latency };
  });
}

/** Results of one task can be compared with each other. */
function withOneTask(record: ModelRecord): ModelRecord {
  const main = mostFrequent(record.comparison, ({ tasks = [] }) => tasks.map(({ task }) => task));
  return withRows(record, (row) => {
    const kept = row.tasks?.filter(({ task }) => task === main) ?? [];
    return kept.length === (row.tasks?.length ?? 0) || kept.length === 0 ? row : { ...row, tasks: kept };
  });
}

function withoutTasks(row: ComparisonRow): ComparisonRow {
  const { tasks, ...rest } = row;
  return tasks === undefined ? row : rest;
}

/** The smallest and the largest batch size stay. */
function withTwoBatches(row: ComparisonRow): ComparisonRow {
  const sizes = row.latency.map(({ batch }) => batch);
  const ends = [Math.min(...sizes), Math.max(...sizes)];
  const latency = row.latency.filter((result) => ends.includes(result.batch));
  return latency.length === row.latency.length ? row : { ...row, latency };
}

/** The neurons of a plan by their number: the first ones stand for those that stay. Heads stay as they are: they share keys and values. */
function countedPlan(plan: PruningPlan): PruningPlan {
  const { keepNeurons } = plan;
  const isCounted = (list: readonly number[] | null): boolean => (list?.at(-1) ?? -1) === (list?.length ?? 0) - 1;
  if (keepNeurons === undefined || keepNeurons.every(isCounted)) return plan;
  return { ...plan, keepNeurons: keepNeurons.map((list) => list?.map((_, index) => index) ?? null) };
}

function withCounts(row: ComparisonRow): ComparisonRow {
  const recipe = each(row.recipe, (step) => {
    if (step.kind !== 'prune') return step;
    const plan = countedPlan(step.plan);
    return plan === step.plan ? step : { ...step, plan };
  });
  const plan = countedPlan(row.plan);
  if (row.countsOnly || (plan === row.plan && recipe === row.recipe)) return row;
  return { ...row, plan, recipe, countsOnly: true };
}

/** Points of a training's curves in a link that is short of room. */
const [lossPoints, heldOutPoints] = [12, 4];

function withThinCurves(row: ComparisonRow): ComparisonRow {
  const training = row.training && thinnedCurves(row.training, lossPoints, heldOutPoints);
  return training === row.training ? row : { ...row, training: training! };
}

function withoutCurves(row: ComparisonRow): ComparisonRow {
  const { training, ...rest } = row;
  return training === undefined ? row : rest;
}

export const lightenings: readonly Lightening[] = [
  {
    sentence: `The curves of trainings are told by ${lossPoints} losses and ${heldOutPoints} held-out perplexities each.`,
    apply: (record) => withRows(record, withThinCurves),
  },
  {
    sentence: 'The curves of trainings are not in the link.',
    apply: (record) => withRows(record, withoutCurves),
  },
  {
    sentence: `Scores of single neurons are not in the link: ${quantiles} quantiles tell those of each block.`,
    apply: (record) => withWidths(record, withQuantiles),
  },
  {
    sentence: `The course of an evolutionary search is told by ${tracePoints} of its generations.`,
    apply: withThinTraces,
  },
  { sentence: 'The scores of the baselines (random, reverse order) are not in the link.', apply: withoutBaselines },
  {
    sentence: 'Perplexities that a second runtime measured are not in the link.',
    apply: withOnePerplexity,
  },
  {
    sentence: 'Timings are in the link for the runtime and precision that timed the most variants.',
    apply: withOneWay,
  },
  {
    sentence: 'Results of tasks are in the link for the task that the most variants were asked.',
    apply: withOneTask,
  },
  { sentence: 'Scores of neurons are not in the link.', apply: (record) => withWidths(record, withoutNeurons) },
  {
    sentence: 'Scores of heads are not in the link.',
    apply: (record) => (record.widthScores.length === 0 ? record : { ...record, widthScores: [] }),
  },
  {
    sentence: 'Timings are in the link for the smallest and the largest batch size only.',
    apply: (record) => withRows(record, withTwoBatches),
  },
  { sentence: 'Results of tasks are not in the link.', apply: (record) => withRows(record, withoutTasks) },
  {
    sentence: 'The link tells how many neurons each variant keeps in a block, and not which.',
    apply: (record) => withRows(record, withCounts),
  },
];
