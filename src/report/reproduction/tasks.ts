/** @file What a report's variants answered beside what they answer here, and which tasks can be asked again. Pure. */
import { storyEndings } from '../../tasks/storyEndings';
import type { ComparisonRow, TaskResult } from '../results';
import { deviationOf, turnedQuestions } from './tolerance';
import { type ReproducedValue, rowName } from './values';

/** Tasks whose questions the page has itself: all others came from a file, of which a report holds only a hash. */
const ownTasks: readonly string[] = [storyEndings];

/** Why a task cannot be asked again; null where it can. */
export function unaskable({ task }: Pick<TaskResult, 'task'>): string | null {
  if (ownTasks.includes(task)) return null;
  return `The questions came from the file '${task}', and a report holds only their hash: ask them by lab.evaluate with the file.`;
}

export const answersName = (row: Pick<ComparisonRow, 'variant' | 'name'>, { task }: TaskResult): string =>
  `Right answers of ${rowName(row)} in ${task}`;

/** The value of a task before, or without, the answers here. */
export function answersReported(row: ComparisonRow, reported: TaskResult): ReproducedValue {
  return {
    ...{ value: answersName(row, reported), kind: 'task', unit: 'share', variant: row.variant },
    ...{ reported: reported.accuracy, here: null, deviation: null, agrees: null },
    ...{ reportedOn: reported.device, hereOn: null },
  };
}

/** Agrees where few questions come out otherwise, by either way of choosing. `half`: products in f16 on either side. */
export function answersValue(
  row: ComparisonRow,
  reported: TaskResult,
  here: TaskResult,
  half: boolean,
): ReproducedValue {
  const value = { ...answersReported(row, reported), hereOn: here.device };
  const { items, hash } = reported;
  if (here.hash !== hash || here.items !== items) {
    const questions = (result: TaskResult): string => `${result.items} (hash ${result.hash})`;
    return { ...value, why: `Other questions: the report has ${questions(reported)}, here are ${questions(here)}.` };
  }
  const trained = row.recipe.some(({ kind }) => kind === 'retrain');
  const turned = (field: 'accuracy' | 'accuracyNorm'): number =>
    Math.round(Math.abs(here[field] - reported[field]) * items);
  const most = Math.max(turned('accuracy'), turned('accuracyNorm'));
  return {
    ...value,
    ...{ here: here.accuracy, deviation: deviationOf(reported.accuracy, here.accuracy) },
    agrees: most <= turnedQuestions(items, half || trained),
    why: `Right answers to ${items === 1 ? '1 question' : `${items} questions`}: ${countOf(reported)} in the report, ${countOf(here)} here; by length ${normOf(reported)} and ${normOf(here)}.`,
  };
}

const countOf = ({ accuracy, items }: TaskResult): number => Math.round(accuracy * items);
const normOf = ({ accuracyNorm, items }: TaskResult): number => Math.round(accuracyNorm * items);
