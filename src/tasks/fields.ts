/** @file Fields of a question from outside: each is checked, and refused with what was expected and what came. */
import { LabError, shown } from '../errors';

/** Most answers of a question, and most characters of a context or an answer. */
const mostChoices = 100;
const mostCharacters = 2 ** 20;

export type Fields = Readonly<Record<string, unknown>>;

export const has = (record: Fields, key: string): boolean => Object.hasOwn(record, key) && record[key] !== undefined;

/** A field that is a text; `shortest` counts characters without the spaces at its ends. */
export function textOf(record: Fields, key: string, where: string, shortest = 1): string {
  return checkText(record[key], `${where}, ${key}`, shortest);
}

/** A list of answers. */
export function answersOf(list: unknown, where: string): string[] {
  if (!Array.isArray(list) || list.length < 2 || list.length > mostChoices) {
    throw badItem(where, `a list of 2 to ${mostChoices} answers`, list);
  }
  return list.map((answer: unknown, index) => checkText(answer, `${where}[${index}]`));
}

/**
 * The index of the right answer among so many: a whole number, or its digits, as some data sets write it.
 * @param first what the data set calls the first answer
 */
export function indexOf(told: unknown, choices: number, where: string, first = 0): number {
  const number = typeof told === 'string' && /^\d{1,3}$/.test(told) ? Number(told) : told;
  const index = typeof number === 'number' ? number - first : Number.NaN;
  if (Number.isInteger(index) && index >= 0 && index < choices) return index;
  throw badItem(where, `the index of the right answer, from ${first} to ${first + choices - 1}`, told);
}

function checkText(value: unknown, where: string, shortest = 1): string {
  const fits = typeof value === 'string' && value.length <= mostCharacters && value.trim().length >= shortest;
  if (fits) return value;
  const got = typeof value === 'string' && value.length > mostCharacters ? `${value.length} characters` : value;
  throw badItem(where, `a text of ${shortest} to ${mostCharacters} characters`, got);
}

export function badItem(where: string, expected: string, got: unknown): LabError {
  return new LabError(
    'bad-source',
    `${where}: expected ${expected}, got ${shown(got)}.`,
    'Write each question as {"context": "…", "choices": ["…", "…"], "label": 0}, or with the fields of a data set that docs/features.md names.',
  );
}
