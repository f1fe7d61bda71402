/** @file Asking and grading, with a model whose losses can be read off the tokens. */
import { expect, test } from 'vitest';
import type { Progress } from '../task';
import { lettersTokenizer } from '../text/testing/letters';
import { ask, hashTask, type SumLosses } from './ask';
import { grade } from './grade';
import { taskItem } from './item';
import { taskSequences } from './sequences';

/** The sum of the answer's token ids: 'a' costs 1. */
const bySum: SumLosses = async (sequences, firsts) =>
  sequences.map((tokens, index) => tokens.slice(firsts[index]).reduce((sum, id) => sum + id, 0));

test('the likeliest answer is the one with the least loss, whole or per character', () => {
  const items = [taskItem('q', ['aa', 'bbbbbb'], 0), taskItem('q', ['😀', 'aaa'], 1), taskItem('q', ['x', 'y'], 1)];
  const found = grade(items, [
    [-2, -3],
    [-2, -3.5],
    [-1, -1],
  ]);
  // Per character: −1 and −0.5; −2, since an emoji is one, and −1.17; −1 and −1, of which the first is chosen.
  expect(found.answers.map(({ chosen, chosenNorm }) => [chosen, chosenNorm])).toEqual([
    [0, 1],
    [0, 1],
    [0, 0],
  ]);
  expect(found).toMatchObject({ items: 3, accuracy: 1 / 3, accuracyNorm: 1 / 3 });
  expect(found.standardError).toBeCloseTo(Math.sqrt(((1 / 3) * (2 / 3)) / 2), 12);
  expect(grade(items.slice(0, 1), [[-2, -3]])).toMatchObject({ accuracy: 1, standardError: 0 });
});

test('every question gets its own answers, whatever the order in which groups are asked', async () => {
  const lengths = [3, 1500, 7, 1100, 400, 1];
  const items = lengths.map((length, index) => taskItem('a'.repeat(length), index % 2 ? ['b', 'a'] : ['a', 'bb'], 0));
  const task = { name: 'task', items };
  const asked = await taskSequences(lettersTokenizer(), task, 2000);
  const sizes: number[] = [];
  const heard: Progress[] = [];
  const losses: SumLosses = (sequences, firsts) => {
    sizes.push(sequences.reduce((sum, { length }) => sum + length, 0));
    return bySum(sequences, firsts);
  };
  const { answers, accuracy } = await ask(task, asked, losses, { onProgress: (progress) => heard.push(progress) });
  const space = 27;
  expect(answers.map(({ logLikelihoods }) => logLikelihoods)).toEqual(
    items.map((_, index) => (index % 2 ? [-space - 2, -space - 1] : [-space - 1, -space - 4])),
  );
  expect(accuracy).toBe(0.5);
  // 1500 and 1100 alone (two answers each), the others together.
  expect(sizes.map((size) => size > 2048 || size)).toEqual([true, true, expect.any(Number)]);
  expect(heard.map(({ done, total }) => [done, total])).toEqual([0, 1, 2, 6].map((done) => [done, 6]));
});

test('a call that was cancelled asks no further group', async () => {
  const controller = new AbortController();
  const items = Array.from({ length: 4 }, () => taskItem('a'.repeat(600), ['b', 'c'], 0));
  const asked = await taskSequences(lettersTokenizer(), { name: 'task', items }, 2000);
  let groups = 0;
  const losses: SumLosses = (sequences, firsts) => {
    groups += 1;
    controller.abort();
    return bySum(sequences, firsts);
  };
  await expect(ask({ name: 'task', items }, asked, losses, { signal: controller.signal })).rejects.toMatchObject({
    code: 'aborted',
  });
  expect(groups).toBe(1);
});

test('the hash tells contexts, answers, their border and the right answer apart', async () => {
  const questions = [
    taskItem('ab', ['c', 'd'], 0),
    taskItem('ab', ['c', 'd'], 1),
    taskItem('ab', ['c', 'e'], 0),
    { ...taskItem('a', ['b c', 'b d'], 0), separator: '' as const },
  ];
  const hashes = await Promise.all(
    [...questions, questions[0]!].map(async (item) => {
      const task = { name: 'any', items: [item] };
      return hashTask(task, await taskSequences(lettersTokenizer(), task, 100));
    }),
  );
  expect(new Set(hashes).size).toBe(questions.length);
  expect(hashes.at(-1)).toBe(hashes[0]);
});
