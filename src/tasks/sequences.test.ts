/** @file Questions as tokens: the rule of lm-evaluation-harness. */
import { expect, test } from 'vitest';
import { lettersTokenizer } from '../text/testing/letters';
import type { SyncTokenizer } from '../text/tokenizer';
import { type TaskItem, taskItem } from './item';
import { taskSequences } from './sequences';

async function read(item: TaskItem, tokenizer: SyncTokenizer = lettersTokenizer(), longest = 100): Promise<string[]> {
  const [asked] = await taskSequences(tokenizer, { name: 'task', items: [item] }, longest);
  return asked!.sequences.map((tokens, index) => {
    const first = asked!.firstTargets[index]!;
    return `${tokenizer.decode(tokens.slice(0, first))}>${tokenizer.decode(tokens.slice(first))}`;
  });
}

test('an answer’s tokens are those beyond the context’s count', async () => {
  expect(await read(taskItem('ab', ['c', 'de'], 0))).toEqual(['|ab>?c', '|ab>?de']);
  const withoutStart = lettersTokenizer({ addsBos: false });
  expect(await read(taskItem('ab', ['c', 'de'], 0), withoutStart)).toEqual(['ab>?c', 'ab>?de']);
});

test('spaces at the end of the context go to the answer', async () => {
  expect(await read(taskItem('ab  ', ['c', 'd'], 0))).toEqual(['|ab>??c', '|ab>??d']);
  expect(await read(taskItem(' ', ['c', 'd'], 0))).toEqual(['|>?c', '|>?d']);
});

test('a token that spans context and answer counts for the answer', async () => {
  // 'ab' is one token where both letters are there: the context 'a' is one token, the whole text too.
  const merging = lettersTokenizer({
    encode: (text) => Array.from(text.replace('ab', 'z'), (letter) => letter.charCodeAt(0) - 96),
  });
  expect(await read({ context: 'a', separator: '', choices: ['bc', 'cc'], gold: 0 }, merging)).toEqual([
    '|z>c',
    '|a>cc',
  ]);
  await expect(read({ context: 'a', separator: '', choices: ['bc', 'b'], gold: 0 }, merging)).rejects.toMatchObject({
    code: 'bad-argument',
    message: 'task, question 1, answer 2: expected 1 to 99 tokens beyond the question, got 0.',
  });
});

test('a text without context follows the token that begins a text, else the one that ends one', async () => {
  const item = taskItem('', ['ab', 'c'], 0);
  expect(await read(item)).toEqual(['|>ab', '|>c']);
  expect(await read(item, lettersTokenizer({ addsBos: false }))).toEqual(['|>ab', '|>c']);
  expect(await read(item, lettersTokenizer({ addsBos: false, bosId: null, eosId: 26 }))).toEqual(['z>ab', 'z>c']);
  await expect(read(item, lettersTokenizer({ addsBos: false, bosId: null }))).rejects.toMatchObject({
    code: 'bad-tokenizer',
  });
});

test('a context that is too long loses its beginning', async () => {
  expect(await read(taskItem('abcdef', ['x', 'yz'], 0), lettersTokenizer(), 5)).toEqual(['def>?x', 'ef>?yz']);
  await expect(read(taskItem('ab', ['x', 'vwxyz'], 0), lettersTokenizer(), 5)).rejects.toThrow(
    'answer 2: expected 1 to 4 tokens beyond the question, got 6.',
  );
});

test('reports how far it is, and may be cancelled', async () => {
  const controller = new AbortController();
  const heard: number[] = [];
  const items = Array.from({ length: 250 }, () => taskItem('a', ['b', 'c'], 0));
  const onProgress = ({ done }: { done: number }): void => {
    heard.push(done);
    if (done === 100) controller.abort();
  };
  const asking = taskSequences(lettersTokenizer(), { name: 'task', items }, 10, {
    onProgress,
    signal: controller.signal,
  });
  await expect(asking).rejects.toMatchObject({ code: 'aborted' });
  expect(heard).toEqual([0, 100]);
});

test('each answer may have a context of its own', async () => {
  const item: TaskItem = { context: ['ab', 'a'], separator: ' ', choices: ['c', 'c'], gold: 0 };
  expect(await read(item)).toEqual(['|ab>?c', '|a>?c']);
});
