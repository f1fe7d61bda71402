/** @file Records of known data sets, in the words in which lm-evaluation-harness asks them. */
import { expect, test } from 'vitest';
import { itemOf } from './formats';
import type { TaskItem } from './item';

const arc = {
  question: 'Which gas do plants take in?',
  choices: { text: ['oxygen', 'carbon dioxide'], label: ['1', '2'] },
  answerKey: '2',
};
const hellaswag = {
  activity_label: 'Baking',
  ctx_a: 'A man opens [header] the oven. [title] Wait.',
  ctx_b: 'the Man',
  endings: ['takes the [step] bread.', 'sleeps.'],
  label: '1',
};
const winogrande = { sentence: 'Ann saw Eve since _ was near.', option1: 'Ann', option2: 'Eve', answer: '2' };
const boolq = { passage: 'Ice floats.', question: 'does ice float', answer: true };
const piqa = { goal: 'Boil water', sol1: 'Freeze it', sol2: 'Heat it', label: 1 };
const open = {
  question_stem: 'The sun is',
  choices: { text: ['a star', 'a fish'], label: ['A', 'B'] },
  answerKey: ' A',
};
const blimp = { sentence_good: 'They are.', sentence_bad: 'They is.', field: 'syntax' };

test.each<[string, object, TaskItem]>([
  [
    'PIQA',
    piqa,
    { context: 'Question: Boil water\nAnswer:', separator: ' ', choices: ['Freeze it', 'Heat it'], gold: 1 },
  ],
  [
    'BoolQ',
    boolq,
    { context: 'Ice floats.\nQuestion: does ice float?\nAnswer:', separator: ' ', choices: ['no', 'yes'], gold: 1 },
  ],
  [
    'SuperGLUE’s BoolQ',
    { ...boolq, answer: undefined, label: 0 },
    { context: 'Ice floats.\nQuestion: does ice float?\nAnswer:', separator: ' ', choices: ['no', 'yes'], gold: 0 },
  ],
  [
    'HellaSwag',
    hellaswag,
    {
      context: 'Baking: A man opens the oven.. Wait. The man',
      separator: ' ',
      choices: ['takes the bread.', 'sleeps.'],
      gold: 1,
    },
  ],
  [
    'WinoGrande',
    winogrande,
    {
      context: ['Ann saw Eve since Ann', 'Ann saw Eve since Eve'],
      separator: ' ',
      choices: ['was near.', 'was near.'],
      gold: 1,
    },
  ],
  ['ARC', arc, { context: `Question: ${arc.question}\nAnswer:`, separator: ' ', choices: arc.choices.text, gold: 1 }],
  ['OpenBookQA', open, { context: 'The sun is', separator: ' ', choices: ['a star', 'a fish'], gold: 0 }],
  ['BLiMP', blimp, { context: '', separator: '', choices: ['They are.', 'They is.'], gold: 0 }],
])('%s', (_name, record, item) => {
  expect(itemOf(record, 'q')).toEqual(item);
});

test('a label of a file of its own replaces the record’s', () => {
  for (const record of [piqa, boolq, hellaswag, winogrande]) expect(itemOf(record, 'q', 0).gold).toBe(0);
});

test.each<[string, object, string]>([
  [
    'PIQA without a label',
    { ...piqa, label: undefined },
    'q, label: expected the index of the right answer, from 0 to 1, got nothing',
  ],
  ['PIQA without a solution', { ...piqa, sol2: undefined }, 'q, sol2: expected a text of 1 to'],
  ['BoolQ with a word', { ...boolq, answer: 'yes' }, 'q, label: expected the index'],
  [
    'HellaSwag with an ending of marks',
    { ...hellaswag, endings: ['[step]', 'x'] },
    'q, endings[0]: expected a text beside marks in brackets',
  ],
  [
    'HellaSwag with a label beyond',
    { ...hellaswag, label: '2' },
    "q, label: expected the index of the right answer, from 0 to 1, got '2'",
  ],
  [
    'WinoGrande without a gap',
    { ...winogrande, sentence: 'Ann sleeps.' },
    'q, sentence: expected a gap "_" and text behind it',
  ],
  ['WinoGrande with nothing behind', { ...winogrande, sentence: 'It was _' }, 'q, sentence: expected a gap'],
  [
    'WinoGrande from 0',
    { ...winogrande, answer: '0' },
    "q, answer: expected the index of the right answer, from 1 to 2, got '0'",
  ],
  ['ARC with a list', { ...arc, choices: ['a', 'b'] }, 'q, choices: expected { text, label }, got ["a","b"]'],
  [
    'ARC with too few names',
    { ...arc, choices: { ...arc.choices, label: ['1'] } },
    'q, choices.label: expected a list of 2 names',
  ],
  ['ARC with another key', { ...arc, answerKey: 'C' }, "q, answerKey: expected one of 1, 2, got 'C'"],
  [
    'BLiMP with half a pair',
    { ...blimp, sentence_bad: 7 },
    'q, sentence_bad: expected a text of 1 to 1048576 characters, got 7',
  ],
])('refuses %s', (_name, record, message) => {
  expect(() => itemOf(record, 'q')).toThrow(
    expect.objectContaining({ code: 'bad-source', message: expect.stringContaining(message) }),
  );
});
