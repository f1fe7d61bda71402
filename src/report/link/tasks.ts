/**
 * @file Results of tasks as a place of a link: those of the same questions in one group, a column for each number. The right answers are
 * counted, since a share of few questions is told by a small number.
 */
import type { DeviceLabel } from '../../benchmark/deviceLabel';
import { shareError } from '../../numerics/statistics';
import { most } from '../fields';
import type { ComparisonRow, TaskResult } from '../results';
import {
  type Codec,
  choice,
  column,
  figures,
  indices,
  type Json,
  type Reader,
  rounded,
  text,
  trimmed,
  tuple,
  type Writer,
  whole,
} from './codec';
import { groupsOf, placesOf, readPlaces } from './groups';
import { costDigits } from './scores';
import { label } from './texts';

const task = choice([
  ...['story-endings', 'boolq', 'piqa', 'hellaswag', 'winogrande', 'arc_easy', 'arc_challenge', 'openbookqa'],
]);

/** What the results of a group have in common. */
interface TaskSetting {
  readonly task: string;
  readonly items: number;
  readonly hash: string;
  readonly device: DeviceLabel;
}

const setting: Codec<TaskSetting> = tuple<TaskSetting>({ task, items: whole, hash: text, device: label });

const shareDigits = 6;
const errorDigits = 4;
const mostValues = most.rows * most.tasks;
const shareColumn = figures(shareDigits, mostValues);
const errorColumn = figures(errorDigits, mostValues);
const costColumn = figures(costDigits, mostValues);

/**
 * How many of so many questions a share is; null where it is of no whole questions. The share is also tried as the link rounds it, so
 * that what was read is written as the same text.
 */
function countOf(share: number, items: number): number | null {
  for (const near of [share, rounded(share, shareDigits)]) {
    const count = Math.round(near * items);
    if (rounded(count / items, shareDigits) === rounded(share, shareDigits)) return count;
  }
  return null;
}

/** Counts of right answers, or, where one share is of no whole questions, the text of all shares in a list of its own. */
function writeShares(shares: readonly number[], items: number, to: Writer): Json {
  const counts = shares.flatMap((share) => countOf(share, items) ?? []);
  return counts.length === shares.length ? indices.write(counts, to) : [shareColumn.write([...shares], to)];
}

function readShares(json: Json, items: number, count: number, from: Reader): number[] {
  const told = typeof json === 'object' && typeof json[0] === 'string' ? json[0] : null;
  if (told !== null) return column(shareColumn, told, count, from);
  const counts = indices.read(json, from);
  if (counts.length !== count) throw from.misfit(`${count} numbers`);
  return counts.map((right) => right / items);
}

/** The standard error that follows from a share as the link tells it. */
const usualError = (accuracy: number, items: number): number => {
  const count = countOf(accuracy, items);
  return shareError(count === null ? rounded(accuracy, shareDigits) : count / items, items);
};

const follows = ({ accuracy, items, standardError }: TaskResult): boolean =>
  rounded(usualError(accuracy, items), errorDigits) === rounded(standardError, errorDigits);

/** The results of all rows, group by group: what they have in common, their places, right answers, those by length, times, errors. */
export function writeTasks(rows: readonly Pick<ComparisonRow, 'tasks'>[], to: Writer): Json[] {
  const values = rows.flatMap(({ tasks = [] }, row) => tasks.map((value) => ({ row, value })));
  return groupsOf(values, (value) => JSON.stringify(setting.write(value, to))).map((group) => {
    const results = group.map(({ value }) => value);
    const { items } = results[0]!;
    const each = (field: 'accuracy' | 'accuracyNorm' | 'milliseconds' | 'standardError'): number[] =>
      results.map((result) => result[field]);
    return trimmed([
      ...[setting.write(results[0]!, to), placesOf(group, to)],
      ...[writeShares(each('accuracy'), items, to), writeShares(each('accuracyNorm'), items, to)],
      costColumn.write(each('milliseconds'), to),
      results.every(follows) ? 0 : errorColumn.write(each('standardError'), to),
    ]);
  });
}

/** The results of so many rows. @throws Misfit */
export function readTasks(json: Json, rows: number, from: Reader): TaskResult[][] {
  const found: TaskResult[][] = Array.from({ length: rows }, () => []);
  for (const group of from.list(json, mostValues)) {
    const [common = 0, where = 0, right = 0, byLength = 0, costs = 0, errors = 0] = from.list(group, 6);
    const read = setting.read(common, from);
    const places = readPlaces(where, rows, from);
    const { length } = places;
    const accuracies = readShares(right, read.items, length, from);
    const normalized = readShares(byLength, read.items, length, from);
    const milliseconds = column(costColumn, costs, length, from);
    const told = errors === 0 ? null : column(errorColumn, errors, length, from);
    from.spend(12 * length);
    places.forEach((place, at) => {
      const accuracy = accuracies[at]!;
      found[place]!.push({
        ...{ ...read, accuracy, accuracyNorm: normalized[at]!, milliseconds: milliseconds[at]! },
        standardError: told?.[at] ?? usualError(accuracy, read.items),
      });
    });
  }
  return found;
}
