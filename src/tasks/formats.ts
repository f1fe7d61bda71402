/**
 * @file A record of a task's file → a question: `{ context | query, choices, label | gold | answer }` with the right answer by its
 * index from 0, or the fields of a data set (`dataSets.ts`).
 */
import { isObject } from '../io/schema';
import { readerOf } from './dataSets';
import { answersOf, badItem, has, indexOf, textOf } from './fields';
import { type TaskItem, taskItem } from './item';

/**
 * @param where names the record in errors, such as 'piqa.jsonl, line 3'
 * @param label index of the right answer where a file of its own tells it; it replaces that of the record
 * @throws LabError 'bad-source' that says what was expected and what came
 */
export function itemOf(record: unknown, where: string, label?: number): TaskItem {
  if (!isObject(record)) throw badItem(where, 'an object with a question', record);
  const read = readerOf(record);
  if (read) return read(record, where, label);
  const key = ['context', 'query'].find((name) => has(record, name));
  if (key === undefined || !has(record, 'choices')) {
    throw badItem(where, 'context and choices, or the fields of a known data set', Object.keys(record).slice(0, 20));
  }
  const choices = answersOf(record['choices'], `${where}, choices`);
  const gold = ['label', 'gold', 'answer'].find((name) => has(record, name)) ?? 'label';
  const index =
    label === undefined
      ? indexOf(record[gold], choices.length, `${where}, ${gold}`)
      : indexOf(label, choices.length, `${where}, its label`);
  return taskItem(textOf(record, key, where, 0), choices, index);
}
