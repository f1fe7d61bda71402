/** @file Instructions as rows: tokens and hidden prompts as transformers and PEFT make them, and what is refused. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { openTokenizer } from '../text/tokenizer';
import { alpacaPrompt, checkInstructions, type Instruction, instructionRows } from './alpaca';

interface Fixture {
  pairs: Instruction[];
  cases: { tokenizer: string; seqLen: number; end: number; rows: ({ ids: number[]; labels: number[] } | null)[] }[];
}

const json = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));
const { pairs, cases } = json('tools/tokenizers/fixtures/instructions.json') as Fixture;

function tokenizerOf(name: string) {
  if (name === 'demo') {
    return openTokenizer(json('public/demo/tokenizer.json'), json('public/demo/tokenizer_config.json'), 1792);
  }
  const { tokenizer } = json(`tools/tokenizers/fixtures/${name}.json`) as { tokenizer: unknown };
  return openTokenizer(tokenizer, { bos_token: '<s>', eos_token: '</s>' }, 1000);
}

test.each(cases)('$tokenizer: ids, cuts, end tokens and labels are those of transformers', async (each) => {
  const tokenizer = tokenizerOf(each.tokenizer);
  expect(tokenizer.eosId).toBe(each.end);
  const expected = each.rows.filter((row) => row !== null);
  const { rows, tooLong } = await instructionRows(tokenizer, pairs, { seqLen: each.seqLen, end: each.end });
  expect(rows.map(({ tokens }) => tokens)).toEqual(expected.map(({ ids }) => ids));
  expect(rows.map(({ firstTarget }) => firstTarget)).toEqual(
    expected.map(({ labels }) => labels.findIndex((label) => label !== -100)),
  );
  expect(tooLong).toBe(each.rows.length - expected.length);
});

test('a row that is cut has no end token, and a model without one gets none', async () => {
  const tokenizer = tokenizerOf('demo');
  const { rows: whole } = await instructionRows(tokenizer, pairs.slice(1, 2), { seqLen: 256, end: 1 });
  const length = whole[0]!.tokens.length;
  const { rows: cut } = await instructionRows(tokenizer, pairs.slice(1, 2), { seqLen: length - 3, end: 1 });
  expect(cut[0]!.tokens).toEqual(whole[0]!.tokens.slice(0, length - 3));
  const { rows: endless } = await instructionRows(tokenizer, pairs.slice(1, 2), { seqLen: 256, end: null });
  expect(endless[0]!.tokens).toEqual(whole[0]!.tokens.slice(0, -1));
});

test('a token that spans prompt and response counts', async () => {
  const prompt = alpacaPrompt(pairs[0]!);
  const encode = (text: string): number[] => (text === prompt ? [5, 6, 7] : [5, 6, 8, 9]);
  const { rows } = await instructionRows({ encode }, pairs.slice(0, 1), { seqLen: 10, end: 1 });
  expect(rows).toEqual([{ tokens: [5, 6, 8, 9, 1], firstTarget: 2 }]);
});

test('pairs without room for a response, and a signal', async () => {
  const tokenizer = tokenizerOf('demo');
  await expect(instructionRows(tokenizer, pairs, { seqLen: 20, end: 1 })).rejects.toMatchObject({
    code: 'bad-argument',
    message: expect.stringContaining('seqLen = 20'),
  });
  const signal = AbortSignal.abort();
  await expect(instructionRows(tokenizer, pairs, { seqLen: 128, end: 1, signal })).rejects.toMatchObject({
    code: 'aborted',
  });
});

test.each<[string, unknown, string]>([
  ['no list', { instruction: 'a', output: 'b' }, 'got a object'],
  ['an empty list', [], 'got 0'],
  ['a number', [{ instruction: 'a', output: 'b' }, 7], 'pair 2: expected an object'],
  ['no response', [{ instruction: 'a' }], "pair 1: expected a string in the field 'output', got nothing"],
  ['an input that is no text', [{ instruction: 'a', input: 3, output: '' }], "field 'input', got a number"],
])('%s: refused', (_, value, message) => {
  expect(() => checkInstructions(value)).toThrow(message);
});
