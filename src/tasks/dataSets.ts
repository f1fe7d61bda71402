/**
 * @file The data sets that are read by their own fields, and asked in the words of lm-evaluation-harness: the seven tasks of
 * Shortened LLaMA's evaluation, and BLiMP.
 */
import { isObject } from '../io/schema';
import { answersOf, badItem, type Fields, has, indexOf, textOf } from './fields';
import { type TaskItem, taskItem } from './item';

/** A record's question. `label` is the right answer's index where a file of its own tells it. */
type Read = (record: Fields, where: string, label: number | undefined) => TaskItem;

interface DataSet {
  /** Fields that tell its records from those of the others. */
  readonly fields: readonly string[];
  readonly read: Read;
}

/** The index in `label`, or in the file of labels. */
const labelled = (record: Fields, choices: number, where: string, label: number | undefined): number =>
  label === undefined
    ? indexOf(record['label'], choices, `${where}, label`)
    : indexOf(label, choices, `${where}, its label`);

/** PIQA (Bisk et al., 2020). */
const piqa: Read = (record, where, label) =>
  taskItem(
    `Question: ${textOf(record, 'goal', where)}\nAnswer:`,
    [textOf(record, 'sol1', where), textOf(record, 'sol2', where)],
    labelled(record, 2, where, label),
  );

/** BoolQ (Clark et al., 2019): `answer` is true or false, or SuperGLUE's `label` is 0 for no and 1 for yes. */
const boolq: Read = (record, where, label) => {
  const context = `${textOf(record, 'passage', where)}\nQuestion: ${textOf(record, 'question', where)}?\nAnswer:`;
  const { answer } = record;
  const gold = typeof answer === 'boolean' && label === undefined ? Number(answer) : labelled(record, 2, where, label);
  return taskItem(context, ['no', 'yes'], gold);
};

/** HellaSwag (Zellers et al., 2019), whose WikiHow part has headings and marks in brackets. */
const hellaswag: Read = (record, where, label) => {
  const second = textOf(record, 'ctx_b', where, 0);
  const capitalized = second.slice(0, 1).toUpperCase() + second.slice(1).toLowerCase();
  const context = `${textOf(record, 'activity_label', where)}: ${textOf(record, 'ctx_a', where, 0)} ${capitalized}`;
  const endings = answersOf(record['endings'], `${where}, endings`).map(withoutMarks);
  const empty = endings.indexOf('');
  if (empty >= 0) throw badItem(`${where}, endings[${empty}]`, 'a text beside marks in brackets', record['endings']);
  return taskItem(withoutMarks(context), endings, labelled(record, endings.length, where, label));
};

const withoutMarks = (text: string): string =>
  text
    .trim()
    .replaceAll(' [title]', '. ')
    .replaceAll(/\[.*?\]/g, '')
    .replaceAll('  ', ' ');

/** WinoGrande (Sakaguchi et al., 2020): what follows the gap is scored behind either name. */
const winogrande: Read = (record, where, label) => {
  const sentence = textOf(record, 'sentence', where);
  const gap = sentence.indexOf('_');
  const rest = sentence.slice(gap + 1).trim();
  if (gap < 0 || rest === '') throw badItem(`${where}, sentence`, 'a gap "_" and text behind it', sentence);
  const contexts = ['option1', 'option2'].map((key) => sentence.slice(0, gap) + textOf(record, key, where));
  const gold =
    label === undefined
      ? indexOf(record['answer'], 2, `${where}, answer`, 1)
      : indexOf(label, 2, `${where}, its label`);
  return { context: contexts, separator: ' ', choices: [rest, rest], gold };
};

/** ARC (Clark et al., 2018): `{ question, choices: { text, label }, answerKey }`. */
const arc: Read = (record, where) => named(record, where, `Question: ${textOf(record, 'question', where)}\nAnswer:`);

/** OpenBookQA (Mihaylov et al., 2018): `{ question_stem, choices: { text, label }, answerKey }`. */
const openbookqa: Read = (record, where) => named(record, where, textOf(record, 'question_stem', where));

/** A question whose answers have names: A, B, C and D, or 1, 2, 3 and 4. */
function named(record: Fields, where: string, context: string): TaskItem {
  const { choices, answerKey } = record;
  if (!isObject(choices)) throw badItem(`${where}, choices`, '{ text, label }', choices);
  const answers = answersOf(choices['text'], `${where}, choices.text`);
  const names: unknown = choices['label'];
  if (!Array.isArray(names) || names.length !== answers.length) {
    throw badItem(`${where}, choices.label`, `a list of ${answers.length} names`, names);
  }
  const gold = names.indexOf(typeof answerKey === 'string' ? answerKey.trim() : answerKey);
  if (gold < 0) throw badItem(`${where}, answerKey`, `one of ${names.slice(0, 10).join(', ')}`, answerKey);
  return taskItem(context, answers, gold);
}

/** BLiMP (Warstadt et al., 2020): no context; the good sentence is the right answer. */
const blimp: Read = (record, where) =>
  taskItem('', [textOf(record, 'sentence_good', where), textOf(record, 'sentence_bad', where)], 0);

const dataSets: readonly DataSet[] = [
  { fields: ['goal', 'sol1'], read: piqa },
  { fields: ['passage', 'question'], read: boolq },
  { fields: ['activity_label', 'endings'], read: hellaswag },
  { fields: ['sentence', 'option1'], read: winogrande },
  { fields: ['question', 'choices', 'answerKey'], read: arc },
  { fields: ['question_stem', 'choices', 'answerKey'], read: openbookqa },
  { fields: ['sentence_good', 'sentence_bad'], read: blimp },
];

/** How a record's question is read; null for one of no known data set. */
export function readerOf(record: Fields): Read | null {
  return dataSets.find(({ fields }) => fields.every((key) => has(record, key)))?.read ?? null;
}
