/** @file Tokenizers as pairs of a GGUF header; those that llama.cpp would read in another way are refused. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { sentencepieceJson } from '../../shards/formats/sentencepiece';
import { mergeScores } from './scores';
import { vocabularyPairs } from './vocabulary';

type Json = Record<string, unknown> & { model: Record<string, unknown> };
const fixture = (name: string): Json =>
  (JSON.parse(readFileSync(`tools/tokenizers/fixtures/${name}.json`, 'utf8')) as { tokenizer: Json }).tokenizer;

async function pairsOf(tokenizer: unknown, config: unknown = {}, vocab = 600): Promise<ReadonlyMap<string, unknown>> {
  const files: Readonly<Record<string, unknown>> = { 'tokenizer.json': tokenizer, 'tokenizer_config.json': config };
  const text = async (file: string): Promise<string | null> =>
    files[file] == null ? null : JSON.stringify(files[file]);
  const pairs = await vocabularyPairs(text, vocab, [7, 9]);
  return new Map(pairs.map(([key, { value }]) => [key.replace('tokenizer.ggml.', ''), value]));
}

test.each([
  ['smollm-like', 'smollm'],
  ['llama3-like', 'dbrx'],
  ['qwen-like', 'qwen2'],
])('%s: the pre-tokenizer is recognised by its patterns', async (name, pre) => {
  const pairs = await pairsOf(fixture(name), { bos_token: '<s>', chat_template: 'a {{ b }}' });
  expect([pairs.get('model'), pairs.get('pre')]).toEqual(['gpt2', pre]);
  expect(pairs.get('add_bos_token')).toBe(name === 'llama3-like');
  expect(pairs.get('tokenizer.chat_template')).toBe('a {{ b }}');
  const [tokens, types] = [pairs.get('tokens') as string[], pairs.get('token_type') as number[]];
  expect([tokens.length, types.length]).toEqual([600, 600]);
  expect(new Set(tokens).size).toBe(600);
  expect([tokens[599], types[599]]).toEqual(['[PAD599]', 5]);
  expect(types[tokens.indexOf('<s>')]).toBe(3);
  expect(pairs.get('merges')).toHaveLength(162);
  expect([pairs.get('eos_token_id'), pairs.get('eot_token_id')]).toEqual([7, 9]);
});

test('Llama 3 takes whole pieces before it merges', async () => {
  const json = fixture('llama3-like');
  const pairs = await pairsOf({ ...json, model: { ...json.model, ignore_merges: true } });
  expect(pairs.get('pre')).toBe('llama-bpe');
});

test('sentencepiece: scores, bytes, unknown', async () => {
  const json = sentencepieceJson(readFileSync('tools/sentencepiece/fixtures/keep.model'));
  const pairs = await pairsOf(json, { bos_token: '<s>', eos_token: '</s>' });
  expect(pairs.get('model')).toBe('llama');
  const [tokens, types] = [pairs.get('tokens') as string[], pairs.get('token_type') as number[]];
  expect(types[0]).toBe(2);
  expect(types.filter((type) => type === 6)).toHaveLength(256);
  expect(types.slice(1, 3)).toEqual([3, 3]);
  const scores = pairs.get('scores') as number[];
  expect(scores).toHaveLength(tokens.length);
  expect(Math.min(...scores)).toBeLessThan(0);
  expect(pairs.get('add_bos_token')).toBe(true);
});

describe('refused', () => {
  const smollm = fixture('smollm-like');
  const golden = JSON.parse(readFileSync('tools/golden/fixtures/tiny-a/tokenizer.json', 'utf8')) as Json;
  test.each<[string, unknown, string]>([
    ['no tokenizer.json', null, 'without tokenizer.json'],
    ['an unknown pattern', { ...smollm, pre_tokenizer: { type: 'Whitespace' } }, 'none of those known as gpt-2'],
    ['a normalizer', { ...smollm, normalizer: { type: 'Lowercase' } }, 'normalizer and pre-tokenizer'],
    ['no bytes to fall back on', golden, 'no tokens for single bytes'],
    [
      'another kind',
      { ...smollm, model: { type: 'WordLevel', vocab: { a: 0 }, unk_token: 'a' }, added_tokens: [] },
      'of the kind WordLevel',
    ],
  ])('%s', async (_, json, reason) => {
    await expect(pairsOf(json)).rejects.toThrow(reason);
  });
});

test('scores stand for merges only where they say the same', () => {
  const vocabulary = (...tokens: string[]) => new Map(tokens.map((token, id) => [token, id]));
  const any = (): boolean => true;
  const all = mergeScores([['a', 'b'], ['b', 'c'], ['ab', 'c'], ['a', 'bc']], vocabulary('a', 'b', 'c', 'ab', 'bc', 'abc'), any); // biome-ignore format: merges
  expect(all).toEqual(new Map([['ab', -1], ['bc', -2], ['abc', -3]])); // biome-ignore format: pairs
  const lacking = mergeScores(
    [
      ['a', 'b'],
      ['b', 'c'],
      ['ab', 'c'],
    ],
    vocabulary('a', 'b', 'c', 'ab', 'bc', 'abc'),
    any,
  );
  expect(lacking).toContain("no merge makes 'abc'");
  const apart = mergeScores(
    [
      ['ab', 'c'],
      ['a', 'b'],
      ['a', 'bc'],
    ],
    vocabulary('a', 'b', 'c', 'ab', 'bc', 'abc'),
    any,
  );
  expect(apart).toContain('at two places');
});
