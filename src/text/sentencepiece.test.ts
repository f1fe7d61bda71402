/** @file tokenizer.model through the one encoder, checked against what sentencepiece itself made of the same texts. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { llama2cTokenizerJson } from '../shards/formats/llama2cTokenizer';
import { sentencepieceJson } from '../shards/formats/sentencepiece';
import { openSource } from '../shards/sources/openSource';
import { llama2cBytes } from './testing/llama2cFile';
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

const open = (files: File[]) => openSource(files, { baseUrl: 'https://page.test/' });

test('chosen files: tokenizer.model stands in for tokenizer.json, and begins a text with <s>', async () => {
  const model = new File([readFileSync(`${fixtures}/keep.model`)], 'tokenizer.model');
  const repository = await open([new File(['{}'], 'config.json'), model, new File([''], 'a.safetensors')]);
  const json = async (name: string): Promise<unknown> => new Response((await repository.open(name)).stream).json();
  const tokenizer = openTokenizer(await json('tokenizer.json'), await json('tokenizer_config.json'), 360);
  expect(tokenizer.encode('a', { specialTokens: true })[0]).toBe(1);
  const names = (await repository.list()).map(({ name }) => name);
  expect(names).toEqual(['config.json', 'tokenizer.json', 'tokenizer_config.json', 'a.safetensors']);
});

// As transformers 5.18, which asks for the flags by name; without a configuration, LLaMA's <s>.
test.each<[string, object | null, number[], number[]]>([
  ['no configuration', null, [1], []],
  ['no flags', { bos_token: '<s>' }, [], []],
  ['add_bos_token', { add_bos_token: true }, [1], []],
  ['add_bos_token false', { add_bos_token: false }, [], []],
  ['both', { add_bos_token: true, add_eos_token: true }, [1], [2]],
  ['add_eos_token', { add_eos_token: true }, [], [2]],
])('tokenizer.model with %s', async (_, config, before, behind) => {
  const repository = await open([
    new File(['{}'], 'config.json'),
    new File([readFileSync(`${fixtures}/keep.model`)], 'tokenizer.model'),
    ...(config ? [new File([JSON.stringify(config)], 'tokenizer_config.json')] : []),
    new File([''], 'a.safetensors'),
  ]);
  const json = async (name: string): Promise<unknown> => new Response((await repository.open(name)).stream).json();
  const tokenizer = openTokenizer(await json('tokenizer.json'), await json('tokenizer_config.json'), 360);
  const plain = tokenizer.encode('a');
  expect(tokenizer.encode('a', { specialTokens: true })).toEqual([...before, ...plain, ...behind]);
});

describe('tokenizer.bin of llama2.c', () => {
  const bin = llama2cBytes(readFileSync(`${fixtures}/keep.model`));
  const cases = JSON.parse(readFileSync(`${fixtures}/keep.json`, 'utf8')) as {
    text: string;
    ids: number[];
    decoded: string;
  }[];
  const tokenizer = openTokenizer(llama2cTokenizerJson(bin, 'tok360.bin'), { bos_token: '<s>' }, 360);

  test.each(cases)('$text', ({ text, ids, decoded }) => {
    expect(tokenizer.encode(text)).toEqual(ids);
    expect(tokenizer.encode(text, { specialTokens: true })).toEqual([1, ...ids]);
    expect(tokenizer.decode(ids)).toBe(decoded);
  });

  test.each([
    ['a cut file', bin.slice(0, -3), 'ends inside piece 359'],
    ['few pieces', bin.slice(0, 4), 'at least 259 pieces, got 0'],
    ['another file', new TextEncoder().encode('{"version": "1.0"}'), 'piece 0 has'],
  ])('%s is refused', (_, bytes, says) => {
    expect(() => llama2cTokenizerJson(bytes, 'tok.bin')).toThrow(says);
    expect(() => llama2cTokenizerJson(bytes, 'tok.bin')).toThrow(expect.objectContaining({ code: 'bad-tokenizer' }));
  });
});
