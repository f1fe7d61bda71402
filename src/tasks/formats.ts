/**
 * @file A record of a task's file → a question. Three forms are told apart by their fields:
 *
 * - `{ context | query, choices, label | gold | answer }`: the right answer by its index, from 0;
 * - PIQA (Bisk et al., 2020): `{ goal, sol1, sol2, label }`, asked as lm-evaluation-harness asks it;
 * - BLiMP (Warstadt et al., 2020): `{ sentence_good, sentence_bad }`: no context, the good sentence is the right answer.
 */
import { LabError, shown } from '../errors';
import { isObject } from '../io/schema';
import { type TaskItem, taskItem } from './item';

/** Most answers of a question, and most characters of a context or an answer. */
const mostChoices = 100;
const mostCharacters = 2 ** 20;

type Fields = Readonly<Record<string, unknown>>;

/**
 * @param where names the record in errors, such as 'piqa.jsonl, line 3'
 * @param label index of the right answer where a file of its own tells it; it replaces that of the record
 * @throws LabError 'bad-source' that says what was expected and what came
 */
export function itemOf(record: unknown, where: string, label?: number): TaskItem {
  if (!isObject(record)) throw badItem(where, 'an object with a question', record);
  if (has(record, 'goal')) {
    const goal = textOf(record, 'goal', where);
    const answers = [textOf(record, 'sol1', where), textOf(record, 'sol2', where)];
    return taskItem(`Question: ${goal}\nAnswer:`, answers, goldOf(record, 2, where, label));
  }
  if (has(record, 'sentence_good')) {
    const sentences = [textOf(record, 'sentence_good', where), textOf(record, 'sentence_bad', where)];
    return taskItem('', sentences, 0);
  }
  const key = ['context', 'query'].find((name) => has(record, name));
  if (key === undefined || !has(record, 'choices')) {
    const fields = Object.keys(record).slice(0, 20);
    throw badItem(where, 'context and choices; or goal, sol1 and sol2; or sentence_good and sentence_bad', fields);
  }
  const context = textOf(record, key, where, 0);
  const choices = choicesOf(record, where);
  return taskItem(context, choices, goldOf(record, choices.length, where, label));
}

function choicesOf(record: Fields, where: string): string[] {
  const { choices } = record;
  if (!Array.isArray(choices) || choices.length < 2 || choices.length > mostChoices) {
    throw badItem(`${where}, choices`, `a list of 2 to ${mostChoices} answers`, choices);
  }
  return choices.map((choice: unknown, index) => checkText(choice, `${where}, choices[${index}]`));
}

/** Some data sets write an index as a string of digits. */
function goldOf(record: Fields, choices: number, where: string, label: number | undefined): number {
  const key = ['label', 'gold', 'answer'].find((name) => has(record, name));
  const told = label ?? (key === undefined ? undefined : record[key]);
  const index = typeof told === 'string' && /^\d{1,3}$/.test(told) ? Number(told) : told;
  if (Number.isInteger(index) && (index as number) >= 0 && (index as number) < choices) return index as number;
  const place = label === undefined ? `${where}, ${key ?? 'label'}` : `${where}, its label`;
  throw badItem(place, `the index of the right answer, from 0 to ${choices - 1}`, told);
}

function textOf(record: Fields, key: string, where: string, shortest = 1): string {
  return checkText(record[key], `${where}, ${key}`, shortest);
}

function checkText(value: unknown, where: string, shortest = 1): string {
  const fits = typeof value === 'string' && value.length <= mostCharacters && value.trim().length >= shortest;
  if (fits) return value;
  const got = typeof value === 'string' && value.length > mostCharacters ? `${value.length} characters` : value;
  throw badItem(where, `a text of ${shortest} to ${mostCharacters} characters`, got);
}

const has = (record: Fields, key: string): boolean => Object.hasOwn(record, key) && record[key] !== undefined;

function badItem(where: string, expected: string, got: unknown): LabError {
  return new LabError(
    'bad-source',
    `${where}: expected ${expected}, got ${shown(got)}.`,
    'Write each question as {"context": "…", "choices": ["…", "…"], "label": 0}; PIQA’s and BLiMP’s own fields are read too.',
  );
}
