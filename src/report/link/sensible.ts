/**
 * @file What a report from outside must keep besides the types of its fields, so that charts and tables can trust it: indices of
 * blocks that the model has, sizes that divide, times that are numbers, parents that end at the base.
 */
import { LabError, shown } from '../../errors';
import { check, list, object, type Schema, whole } from '../../io/schema';
import type { UnitJson } from '../../model/unit';
import { type PruningPlan, removedByKind } from '../../pruning/plan';
import { type ModelRecord, restore } from '../record';
import type { ComparisonRow } from '../results';
import type { Scores } from '../scores';
import { badReport } from './fragment';
import { mostLayers } from './model';

const size = whole(0, 2 ** 31);
/** The fields of a shape that are computed with here and on the page. */
const shape: Schema = object({
  ...{ vocab: size, hidden: size, maxPositions: size },
  layers: list(object({ source: size, heads: size, kvHeads: size, headDim: size, ffn: size }), 0, mostLayers),
});

const remedy = 'Ask the author to share the report again: this one was not made by this page, or was changed.';

/** A record from outside, whole and sensible. `what`: 'The link' or 'The file'. @throws LabError 'bad-report' */
export function sensibleRecord(value: unknown, what: string): ModelRecord {
  const record = restored(value, what);
  const require = (fits: boolean, where: string, expected: string, got: unknown): void => {
    if (!fits) throw badReport(`${what}'s ${where}: expected ${expected}, got ${shown(got)}.`, remedy);
  };
  const verdict = check(shape, record.model.shape);
  if (!verdict.ok) require(false, `model.shape.${verdict.where}`, verdict.expected, verdict.got);
  const { layers } = record.model.shape;
  layers.forEach(({ heads, kvHeads }, at) => {
    require(heads === 0 || heads % kvHeads === 0, `model.shape.layers.${at}.kvHeads`, `a divisor of ${heads}`, kvHeads);
  });
  const isBlock = (index: number): boolean => index < layers.length;
  const blocks = (indices: readonly number[], where: string): void => {
    for (const index of indices) require(isBlock(index), where, `blocks below ${layers.length}`, index);
  };
  const units = (each: readonly UnitJson[] | undefined, where: string): void =>
    blocks(each?.map(({ layer }) => layer) ?? [], where);
  record.scores.forEach((scores, at) => {
    const where = `scores.${at}`;
    requireScores(scores, where, layers.length, require);
    blocks(scores.protected, `${where}.protected`);
    units(scores.steps, `${where}.steps`);
    units(scores.evolution?.removed, `${where}.evolution.removed`);
  });
  for (const [at, { heads, neurons }] of record.widthScores.entries()) {
    for (const [field, { length }] of Object.entries({ heads, neurons })) {
      require(length ===
        layers.length, `widthScores.${at}.${field}`, `a list of each of ${layers.length} blocks`, length);
    }
  }
  for (const [id, found] of Object.entries(record.searches)) units(found?.steps, `searches.${id}.steps`);
  units(record.evolution?.removed, 'evolution.removed');
  record.comparison.forEach((row, at) => {
    const plans: PruningPlan[] = [
      row.plan,
      ...row.recipe.flatMap((step) => (step.kind === 'prune' ? [step.plan] : [])),
    ];
    for (const plan of plans) blocks(removedByKind(plan).flat(), `comparison.${at}.plan`);
    requireNumbers(row, `comparison.${at}`, require);
    requireCurves(row, `comparison.${at}`, require);
  });
  requireParents(record.comparison, require);
  return record;
}

type Require = (fits: boolean, where: string, expected: string, got: unknown) => void;

function restored(value: unknown, what: string): ModelRecord {
  try {
    return restore(value).record;
  } catch (thrown) {
    if (!(thrown instanceof LabError)) throw thrown;
    throw badReport(thrown.message.replace(/^The record/, what), remedy, thrown);
  }
}

function requireScores({ scores, order, window }: Scores, where: string, layers: number, require: Require): void {
  require(scores.length <= 2 * layers, `${where}.scores`, `at most ${2 * layers}`, scores.length);
  require(window >= 1, `${where}.window`, 'one block at least', window);
  const places = new Set(order);
  const fits = places.size === order.length && order.every((index) => index < scores.length);
  require(fits, `${where}.order`, `indices below ${scores.length}, each once`, order);
}

const isTime = (value: number): boolean => Number.isFinite(value) && value >= 0;

/** Charts draw the points of a curve from left to right. */
function requireCurves({ training }: ComparisonRow, where: string, require: Require): void {
  for (const [field, points] of Object.entries({
    losses: training?.losses ?? [],
    evaluations: training?.evaluations ?? [],
  })) {
    const ascends = points.every(({ step }, at) => at === 0 || step > points[at - 1]!.step);
    require(ascends, `${where}.training.${field}`, 'ascending steps', points.map(({ step }) => step).join(', '));
  }
}

function requireNumbers(
  { ratio, latency, perplexity, tasks = [] }: ComparisonRow,
  where: string,
  require: Require,
): void {
  require(ratio >= 0 && ratio <= 1, `${where}.ratio`, 'a share from 0 to 1', ratio);
  for (const [at, result] of latency.entries()) {
    const { prefillMs, decodeMsPerToken, latencyMs, spread, peakBytes, throughput, batch } = result;
    for (const [field, value] of Object.entries({ prefillMs, decodeMsPerToken, latencyMs, spread, peakBytes })) {
      require(isTime(value), `${where}.latency.${at}.${field}`, 'a number from 0', value);
    }
    require(throughput >= 0, `${where}.latency.${at}.throughput`, 'a number from 0', throughput);
    require(batch >= 1, `${where}.latency.${at}.batch`, 'one at least', batch);
  }
  for (const [runtime, result] of Object.entries(perplexity)) {
    require(result.runtime === runtime, `${where}.perplexity.${runtime}.runtime`, runtime, result.runtime);
  }
  for (const [at, { milliseconds }] of tasks.entries()) {
    require(isTime(milliseconds), `${where}.tasks.${at}.milliseconds`, 'a number from 0', milliseconds);
  }
}

/** Parents that lead back to a variant would never end. */
function requireParents(rows: readonly ComparisonRow[], require: Require): void {
  const parents = new Map(rows.map(({ variant, parent }) => [variant, parent]));
  const ends = new Set<string>();
  rows.forEach(({ variant }, at) => {
    const path = new Set<string>();
    let id: string | null | undefined = variant;
    while (id !== null && id !== undefined && !ends.has(id)) {
      require(!path.has(id), `comparison.${at}.parent`, 'a variant that is not made from it', id);
      path.add(id);
      id = parents.get(id);
    }
    for (const each of path) ends.add(each);
  });
}
