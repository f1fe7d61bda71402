/** @file tokenizer.model through the one encoder, judged by what sentencepiece itself made of the same texts. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { openFileRepository } from '../shards/fileRepository';
import { sentencepieceJson } from '../shards/sentencepiece';
import { openTokenizer } from './tokenizer';

const fixtures = 'tools/sentencepiece/fixtures';

describe.each(['keep', 'trim'])('%s', (name) => {
  const bytes = readFileSync(`${fixtures}/${name}.model`);
  const cases = JSON.parse(readFileSync(`${fixtures}/${name}.json`, 'utf8')) as {
    text: string;
    ids: number[];
    decoded: string;
  }[];
  const tokenizer = openTokenizer(sentencepieceJson(bytes), { bos_token: '<s>', eos_token: '</s>' }, 360);

  test.each(cases)('$text', ({ text, ids, decoded }) => {
    expect(tokenizer.encode(text)).toEqual(ids);
    expect(tokenizer.decode(ids)).toBe(decoded);
  });
});

test('what is no sentencepiece model is refused', () => {
  expect(() => sentencepieceJson(new Uint8Array())).toThrow('got 0');
  expect(() => sentencepieceJson(new TextEncoder().encode('{"version": 1}'))).toThrow('tokenizer.model');
});

test('chosen files: tokenizer.model stands in for tokenizer.json, and begins a text with <s>', async () => {
  const model = new File([readFileSync(`${fixtures}/keep.model`)], 'tokenizer.model');
  const repository = await openFileRepository([
    new File(['{}'], 'config.json'),
    model,
    new File([''], 'a.safetensors'),
  ]);
  const json = async (name: string): Promise<unknown> => new Response((await repository.open(name)).stream).json();
  const tokenizer = openTokenizer(await json('tokenizer.json'), await json('tokenizer_config.json'), 360);
  expect(tokenizer.encode('a', { specialTokens: true })[0]).toBe(1);
  expect((await repository.list()).map(({ name }) => name)).toContain('tokenizer.json');
});
