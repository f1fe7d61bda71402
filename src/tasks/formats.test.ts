/** @file Records of files → questions, and files → records. */
import { describe, expect, test } from 'vitest';
import { itemOf } from './formats';
import { readTask } from './readTask';

const file = (text: string, name = 'questions.jsonl'): File => new File([text], name);
const jsonl = (...records: unknown[]): string => records.map((record) => JSON.stringify(record)).join('\n');
const plain = { context: 'The sky is', choices: ['blue', 'a fish'], label: 0 };

describe('itemOf', () => {
  test('reads the right answer under each of its names, also as digits', () => {
    for (const key of ['label', 'gold', 'answer']) {
      const record = { query: 'Q', choices: ['a', 'b', 'c'], [key]: key === 'gold' ? '2' : 2 };
      expect(itemOf(record, 'q')).toEqual({ context: 'Q', separator: ' ', choices: ['a', 'b', 'c'], gold: 2 });
    }
  });

  test('puts one space between a context and its answers', () => {
    expect(itemOf({ ...plain, context: 'The sky is ' }, 'q').separator).toBe('');
    expect(itemOf({ ...plain, choices: [' blue', ' a fish'] }, 'q').separator).toBe('');
    expect(itemOf({ ...plain, context: '' }, 'q').separator).toBe('');
  });

  test.each<[string, unknown, string]>([
    ['a list', [], 'q: expected an object with a question, got []'],
    [
      'other fields',
      { question: 'x' },
      'q: expected context and choices, or the fields of a known data set, got ["question"]',
    ],
    ['no choices', { context: 'x', label: 0 }, 'got ["context","label"]'],
    ['one choice', { ...plain, choices: ['x'] }, 'q, choices: expected a list of 2 to 100 answers, got ["x"]'],
    ['101 choices', { ...plain, choices: Array(101).fill('x') }, 'q, choices: expected a list of 2 to 100'],
    ['an empty choice', { ...plain, choices: ['x', ' '] }, 'q, choices[1]: expected a text of 1 to 1048576 characters'],
    [
      'a number as choice',
      { ...plain, choices: ['x', 3] },
      'q, choices[1]: expected a text of 1 to 1048576 characters, got 3',
    ],
    ['a long context', { ...plain, context: 'x'.repeat(2 ** 20 + 1) }, 'q, context: expected a text of 0 to 1048576'],
    [
      'no label',
      { ...plain, label: undefined },
      'q, label: expected the index of the right answer, from 0 to 1, got nothing',
    ],
    ['a label beyond', { ...plain, label: 2 }, 'q, label: expected the index of the right answer, from 0 to 1, got 2'],
    ['a letter', { ...plain, label: 'A' }, "from 0 to 1, got 'A'"],
    ['half a label', { ...plain, label: 0.5 }, 'from 0 to 1, got 0.5'],
  ])('refuses %s and says what came', (_name, record, message) => {
    expect(() => itemOf(record, 'q')).toThrow(
      expect.objectContaining({ code: 'bad-source', message: expect.stringContaining(message) }),
    );
  });
});

describe('readTask', () => {
  test('reads a list, and one record a line with empty lines between', async () => {
    const lines = await readTask(file(`\n${jsonl(plain)}\r\n\n${jsonl({ ...plain, label: 1 })}\n`));
    expect(lines).toMatchObject({ name: 'questions.jsonl', items: [{ gold: 0 }, { gold: 1 }] });
    const list = await readTask(file(JSON.stringify([plain, { ...plain, label: 1 }]), 'q.json'));
    expect(list.items).toEqual(lines.items);
  });

  test('takes the first questions, and does not read beyond them', async () => {
    const { items } = await readTask(file(`${jsonl(plain, plain)}\nno JSON`), { limit: 2 });
    expect(items).toHaveLength(2);
  });

  test('takes labels from a file of their own', async () => {
    const questions = jsonl(...['a', 'b'].map((goal) => ({ goal, sol1: 'x', sol2: 'y' })));
    const { items } = await readTask(file(questions), { labels: file('1\n0\n', 'labels.lst') });
    expect(items.map(({ gold }) => gold)).toEqual([1, 0]);
  });

  test.each<[string, () => Promise<unknown>, string]>([
    [
      'another kind of file',
      () => readTask(file('', 'q.txt')),
      'q.txt: expected a .json or .jsonl file with questions',
    ],
    ['an empty file', () => readTask(file('\n')), 'questions.jsonl: expected at least one question, got none'],
    ['a broken line', () => readTask(file(`${jsonl(plain)}\n{"context"`)), 'questions.jsonl, line 2: expected JSON'],
    [
      'a bad record',
      () => readTask(file(`${jsonl(plain)}\n\n{}`)),
      'questions.jsonl, line 3: expected context and choices',
    ],
    [
      'a bad item',
      () => readTask(file(JSON.stringify([plain, 1]), 'q.json')),
      'q.json, question 2: expected an object',
    ],
    [
      'a bad label',
      () => readTask(file(jsonl(plain)), { labels: file('x', 'l') }),
      "l, line 1: expected the index of an answer, got 'x'",
    ],
    [
      'a large label',
      () => readTask(file(jsonl(plain)), { labels: file('2', 'l') }),
      'line 1, its label: expected the index of the right answer, from 0 to 1, got 2',
    ],
    ['too few labels', () => readTask(file(jsonl(plain, plain)), { labels: file('0\n', 'l') }), 'got 1 labels'],
  ])('refuses %s and says where', async (_name, reading, message) => {
    await expect(reading()).rejects.toMatchObject({ code: 'bad-source', message: expect.stringContaining(message) });
  });
});
