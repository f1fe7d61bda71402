/**
 * @file The record of what was measured of a model: one form with a version. `lab.report()` returns it, the page keeps it in
 * IndexedDB, and a new worker resumes a session from it. `restore` reads it back, from this version and from earlier ones.
 */
import { version } from '../../package.json';
import { LabError, shown } from '../errors';
import { greedyMethods, type SearchId } from '../importance/methods';
import { check, dictionary, isObject, list, object, oneOf, orNull, prepared, type Schema, text } from '../io/schema';
import type { ModelShape } from '../model/shape';
import type { TokenSequences } from '../numerics/tokens';
import type { PruningPlan } from '../pruning/plan';
import { type DeviceInfo, deviceInfo, type ModelInfo, modelInfo } from './facts';
import { count, most, name } from './fields';
import { misfitOf, writtenRow } from './plans';
import { type ComparisonRow, comparisonRows } from './results';
import { type Scores, scores, type WidthScores, widthScores } from './scores';
import { type EvolutionResult, evolutionResult, type SearchResult, searchResult } from './searches';
import { type CalibrationInfo, calibrationInfo } from './texts';
import { upgradeFrom1 } from './upgrade';

export const recordVersion: 2 = 2;

/** Who writes records. */
export const program = `Secateur ${version}`;

/** Every number is keyed by the id of its variant, or by its method and options. */
export interface ModelRecord {
  readonly version: typeof recordVersion;
  /** When it was written, as ISO 8601. */
  readonly created: string;
  /** The program that measured, with its version. Each number names the runtime that computed it. */
  readonly program: string;
  readonly model: ModelInfo;
  /** Null where the browser has no GPU for the laboratory. */
  readonly device: DeviceInfo | null;
  /** What the scores were measured on. */
  readonly calibration: CalibrationInfo | null;
  /** The calibration's token ids, only where a session has to go on with them. */
  readonly calibrationTokens?: TokenSequences;
  readonly scores: readonly Scores[];
  /** Scores of heads and neurons; records from before width pruning have none. */
  readonly widthScores: readonly WidthScores[];
  /** Greedy searches by criterion, also those that were cancelled on the way. */
  readonly searches: Partial<Record<SearchId, SearchResult>>;
  readonly evolution: EvolutionResult | null;
  /** The base and every variant, with what was measured of each. */
  readonly comparison: readonly ComparisonRow[];
  /** The author's words, where the record was shared: plain text. */
  readonly title?: string;
  readonly notes?: string;
}

/** Most sequences of a calibration, and most tokens of each. */
const mostSamples = 1e6;
const mostTokens = 2 ** 20;

const searchIds = greedyMethods.map(({ id }) => id);

const fields: Schema<ModelRecord> = object(
  {
    version: oneOf([recordVersion]),
    created: text(100),
    program: name,
    model: modelInfo,
    device: orNull(deviceInfo),
    calibration: orNull(calibrationInfo),
    scores: list(scores, 0, most.scores),
    widthScores: list(widthScores, 0, most.widths),
    searches: dictionary(oneOf(searchIds), searchResult, searchIds.length),
    evolution: orNull(evolutionResult),
    comparison: comparisonRows,
  },
  { calibrationTokens: list(list(count, 0, mostTokens), 0, mostSamples), title: name, notes: text(most.note) },
);

/** Records from before width pruning have no list of width scores. */
const schema: Schema<ModelRecord> = prepared(
  (value) => (isObject(value) && value['widthScores'] === undefined ? { ...value, widthScores: [] } : value),
  fields,
);

export interface Restored {
  readonly record: ModelRecord;
  /** What an earlier version's record holds that this version cannot read, in one sentence; null if that is nothing. */
  readonly dropped: string | null;
}

/**
 * Reads a record, also one that went through JSON. A record of this version is read whole or refused; of an earlier version,
 * parts that do not fit are left out.
 * @throws LabError 'bad-record'
 */
export function restore(value: unknown): Restored {
  if (!isObject(value)) throw badRecord('', 'an object', value);
  const { version } = value;
  const { record, dropped } = version === 1 ? upgradeFrom1(value) : { record: value, dropped: null };
  if (version !== 1 && version !== recordVersion) throw badRecord('version', `1 or ${recordVersion}`, version);
  const verdict = check(schema, record);
  if (!verdict.ok) throw badRecord(verdict.where, verdict.expected, verdict.got);
  const { comparison, model } = verdict.value;
  requireUniqueIds(comparison);
  for (const [index, row] of comparison.entries()) requireFit(row, index, model.shape);
  return { record: verdict.value, dropped };
}

/**
 * Reads rows of a comparison, as `lab.comparison()` returns them, or a whole record, which has to be of the open model in the
 * same revision: another revision has other weights. `record` is null for rows. Scores and variants that a link told in part
 * are left out.
 * @throws LabError 'bad-record'
 */
export function restoreRows(
  value: unknown,
  open: Pick<ModelInfo, 'id' | 'revision'>,
): { readonly rows: readonly ComparisonRow[]; readonly record: ModelRecord | null } {
  if (!Array.isArray(value)) {
    const { record, dropped } = restore(value);
    if (dropped !== null) console.warn(dropped);
    const { model, comparison } = record;
    if (model.id === open.id && model.revision === open.revision) {
      const widthScores = record.widthScores.filter(({ thinned }) => !thinned);
      return { rows: whole(comparison), record: { ...record, widthScores } };
    }
    const [of, is] = [model, open].map(({ id, revision }) => `'${id}', revision '${revision}'`);
    throw new LabError('bad-record', `The record: expected one of the open model ${is}, got one of ${of}.`, openFirst);
  }
  // What a plan leaves of the model is computed again, so that a script need not give it.
  const sizes = { parameters: 0, ratio: 0, layers: 0 };
  const rows = value.map((row: unknown) => (isObject(row) ? { ...sizes, ...row } : row));
  const verdict = check(comparisonRows, rows);
  if (!verdict.ok) throw badRecord(`comparison.${verdict.where}`, verdict.expected, verdict.got);
  requireUniqueIds(verdict.value);
  return { rows: whole(verdict.value), record: null };
}

/** Variants of which only counts are known cannot be made again. */
const whole = (rows: readonly ComparisonRow[]): ComparisonRow[] => rows.filter(({ countsOnly }) => !countsOnly);

/** Two rows of one id would share their numbers; of two results of one task one would be lost. */
function requireUniqueIds(rows: readonly ComparisonRow[]): void {
  const seen = new Set<string>();
  rows.forEach(({ variant, tasks = [] }, index) => {
    if (seen.has(variant)) throw badRecord(`comparison.${index}.variant`, 'an id that no row before it has', variant);
    seen.add(variant);
    const names = tasks.map(({ task }) => task);
    const again = names.findIndex((name, at) => names.indexOf(name) !== at);
    if (again < 0) return;
    throw badRecord(`comparison.${index}.tasks.${again}.task`, 'a task that no result before it has', names[again]);
  });
}

/** Heads and neurons that a plan keeps have to be the model's. */
function requireFit({ plan, recipe }: ComparisonRow, index: number, shape: ModelShape): void {
  const places: [where: string, plan: PruningPlan][] = [['plan', plan]];
  for (const [at, step] of recipe.entries()) {
    if (step.kind === 'prune') places.push([`recipe.${at}.plan`, step.plan]);
  }
  for (const [where, each] of places) {
    const misfit = misfitOf(each, shape);
    if (misfit) throw badRecord(`comparison.${index}.${where}.${misfit.where}`, misfit.expected, misfit.got);
  }
}

/** The record with its plans in the short form: what is written to JSON and IndexedDB. */
export function writtenRecord(record: ModelRecord): object {
  return { ...record, comparison: record.comparison.map(writtenRow) };
}

/** The record as JSON. Infinity and NaN, which JSON lacks, are written as strings, and `restore` reads them back. */
export function recordJson(record: ModelRecord, indent?: number): string {
  const finite = (_key: string, value: unknown): unknown =>
    typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
  return JSON.stringify(writtenRecord(record), finite, indent);
}

const openFirst = 'Open the model of the record first.';

function badRecord(where: string, expected: string, got: unknown): LabError {
  const place = where === '' ? 'The record' : `The record's ${where}`;
  return new LabError(
    'bad-record',
    `${place}: expected ${expected}, got ${shown(got)}.`,
    'Give a record as lab.report() returned it. A record of a newer version needs a newer version of this page: reload it.',
  );
}
