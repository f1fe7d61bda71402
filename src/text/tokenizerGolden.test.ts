/**
 * @file Tokenizers of the forms that LLaMA-family models use, checked against what Hugging Face's own library made of
 * the same texts.
 */
import { existsSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { openTokenizer, type Tokenizer } from './tokenizer';

interface Case {
  text: string;
  ids: number[];
  /** With special tokens. */
  special: number[];
  decoded: string;
}

const fixture = (name: string): { tokenizer: unknown; cases: Case[] } =>
  JSON.parse(readFileSync(`tools/tokenizers/fixtures/${name}.json`, 'utf8'));

describe.each<[string, object, boolean]>([
  ['smollm-like', { bos_token: '<s>' }, false], // named, but not added
  ['llama3-like', { bos_token: '<s>' }, true],
  ['qwen-like', { bos_token: null, add_bos_token: false }, false],
  ['llama2-like', { bos_token: '<s>', add_bos_token: true, add_eos_token: false }, true],
])('%s', (name, config, addsBos) => {
  const { tokenizer: json, cases } = fixture(name);
  const tokenizer = openTokenizer(json, config, 1000);

  test('adds a start token, or does not, as its own files say', () => {
    expect(tokenizer.addsBos).toBe(addsBos);
  });

  test.each(cases.map((each) => [JSON.stringify(each.text), each] as const))(
    '%s',
    (_, { text, ids, special, decoded }) => {
      expect(tokenizer.encode(text)).toEqual(ids);
      expect(tokenizer.encode(text, { specialTokens: true })).toEqual(special);
      expect(tokenizer.decode(ids)).toBe(decoded);
    },
  );

  test('gives texts back where it promises to', () => {
    // Qwen's composes characters first. LLaMA 2's puts a space behind a special token that is written out.
    const promised = (text: string) => (name === 'qwen-like' ? text.normalize('NFC') : text);
    const plain = cases.filter(({ text }) => name !== 'llama2-like' || !/<\/?s>/.test(text));
    expect(plain.length).toBeGreaterThan(30);
    for (const { text } of plain) expect(tokenizer.decode(tokenizer.encode(text))).toBe(promised(text));
  });
});

const smollm = `${process.cwd()}/../shared/tokenizers/smollm_tokenizer.json`;
describe.skipIf(!existsSync(smollm))('a real tokenizer of 49k entries (skipped where ../shared is absent)', () => {
  let tokenizer: Tokenizer;
  beforeAll(() => {
    const end = { bos_token: '<|endoftext|>', eos_token: '<|endoftext|>' };
    tokenizer = openTokenizer(JSON.parse(readFileSync(smollm, 'utf8')), end, 50000);
  });
  test('names a start token, and adds none', () => {
    expect(tokenizer.bosId).toBe(0);
    expect(tokenizer.addsBos).toBe(false);
  });
  test.each(fixture('smollm').cases.map((each) => [JSON.stringify(each.text), each] as const))(
    '%s',
    (_, { text, ids, special, decoded }) => {
      expect(tokenizer.encode(text)).toEqual(ids);
      expect(tokenizer.encode(text, { specialTokens: true })).toEqual(special);
      expect(tokenizer.decode(ids)).toBe(decoded);
      expect(decoded).toBe(text);
    },
  );
});
