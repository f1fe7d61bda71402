import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tinyTokenizerConfig, tinyTokenizerJson, tinyVocab } from './testing/tinyTokenizer';
import { openTokenizer } from './tokenizer';

const tiny = () => openTokenizer(tinyTokenizerJson(), tinyTokenizerConfig, tinyVocab);
const hello = tinyVocab - 6;
const world = tinyVocab - 1;

const texts = [
  'hello world',
  '  two  spaces, a\ttab\r\nand lines\n\n',
  'Größe, naïve, Ærøskøbing',
  '数据科学 и машинное обучение',
  'שלום עולם مرحبا بالعالم',
  'for (let i = 0; i < n; i++) { total += x[i] ** 2; } // π ≈ 3.14159',
  '👩‍👩‍👧‍👦 family, 🇫🇷 flag, 👍🏽 skin tone, e\u0301 combining',
  'He said: "don\'t , stop . now ?"',
];

test('text becomes ids by merges, without special tokens unless asked', () => {
  const tokenizer = tiny();
  expect(tokenizer.encode('hello world')).toEqual([hello, world]);
  expect(tokenizer.encode('hello world', { specialTokens: true })).toEqual([hello, world]);
  expect(tokenizer.encode('')).toEqual([]);
  expect(tokenizer).toMatchObject({ bosId: 0, eosId: 1, size: tinyVocab });
});

test.each(texts)('%j comes back as it was', (text) => {
  const tokenizer = tiny();
  expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
});

test('special tokens are written out, or left out when asked', () => {
  const tokenizer = tiny();
  expect(tokenizer.decode([0, hello, world, 1])).toBe('<s>hello world</s>');
  expect(tokenizer.decode([0, hello, world, 1], { skipSpecial: true })).toBe('hello world');
  expect(tokenizer.decode([])).toBe('');
});

const template = {
  type: 'TemplateProcessing',
  single: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
  pair: [],
  special_tokens: { '<s>': { id: '<s>', ids: [0], tokens: ['<s>'] } },
};

// As in transformers 5.18: beside a tokenizer.json, tokenizer_config.json's add_bos_token and add_eos_token are not read.
test.each<[string, object | null, object, number[]]>([
  ['the template adds one', template, { bos_token: '<s>' }, [0, hello]],
  [
    'the template adds one, whatever add_bos_token says',
    template,
    { bos_token: '<s>', add_bos_token: false },
    [0, hello],
  ],
  ['without a template nobody adds one', null, tinyTokenizerConfig, [hello]],
  ['nor an end', null, { eos_token: '</s>', add_eos_token: true }, [hello]],
])('special tokens: %s', (_, postProcessor, config, expected) => {
  const tokenizer = openTokenizer(tinyTokenizerJson({ post_processor: postProcessor }), config, tinyVocab);
  expect(tokenizer.encode('hello', { specialTokens: true })).toEqual(expected);
  expect(tokenizer.encode('hello')).toEqual([hello]);
  expect(tokenizer.addsBos).toBe(expected.length === 2);
});

test('a vocabulary larger than the tokenizer is padding, a smaller one does not fit', () => {
  expect(openTokenizer(tinyTokenizerJson(), null, tinyVocab + 100).size).toBe(tinyVocab);
  const load = () => openTokenizer(tinyTokenizerJson(), null, tinyVocab - 1);
  expect(load).toThrow(`ids up to ${tinyVocab - 1}, but the model's vocab_size is ${tinyVocab - 1}`);
  expect(load).toThrow(expect.objectContaining({ code: 'bad-tokenizer' }));
});

test("words that JavaScript's objects inherit are tokens like others", () => {
  const json = tinyTokenizerJson();
  const model = json['model'] as { vocab: Record<string, number>; merges: string[] };
  model.vocab['constructor'] = tinyVocab;
  model.merges = [];
  expect(() => openTokenizer(json, null, tinyVocab)).toThrow('do not fit');
  expect(openTokenizer(json, null, tinyVocab + 1).decode([tinyVocab])).toBe('constructor');
});

test('an added token beyond the vocabulary is a note, and an error in a text that has it', () => {
  const json = tinyTokenizerJson();
  const tokenizer = openTokenizer(json, { pad_token: '<pad>', eos_token: '<end>' }, tinyVocab);
  expect(tokenizer.notes).toEqual([expect.stringContaining(`id ${tinyVocab}) and 1 more beyond`)]);
  expect(tokenizer).toMatchObject({ size: tinyVocab + 2, eosId: null });
  expect(tokenizer.encode('hello')).toEqual([hello]);
  expect(() => tokenizer.encode('hello<pad>')).toThrow(expect.objectContaining({ code: 'bad-tokenizer' }));
  expect(openTokenizer(json, { pad_token: '<pad>' }, tinyVocab + 1).encode('hello<pad>')).toEqual([hello, tinyVocab]);
});

const model = tinyTokenizerJson()['model'] as object;

test.each<[string, unknown, unknown]>([
  ['nothing', null, null],
  ['text', 'tokenizer', null],
  ['no model', {}, null],
  ['a model without vocabulary', { model: { type: 'BPE' } }, null],
  ['ids that are no numbers', tinyTokenizerJson({ model: { ...model, vocab: { a: 'b' } } }), null],
  ['negative ids', tinyTokenizerJson({ model: { ...model, vocab: { a: -1 } } }), null],
  ['ids that would fill the memory', tinyTokenizerJson({ model: { ...model, vocab: { a: 1e12 } } }), null],
  ['an unknown model', tinyTokenizerJson({ model: { ...model, type: 'Oracle' } }), null],
  ['an unknown pre-tokenizer', tinyTokenizerJson({ pre_tokenizer: { type: 'Oracle' } }), null],
  ['a normalizer that is no object', tinyTokenizerJson({ normalizer: 7 }), null],
  ['added tokens without content', tinyTokenizerJson({ added_tokens: [{ id: 3 }] }), null],
  ['a configuration that is a list', tinyTokenizerJson(), []],
  ['a bos_token that is a number', tinyTokenizerJson(), { bos_token: 7 }],
])('%s: refused', (_, json, config) => {
  expect(() => openTokenizer(json, config, 1000)).toThrow(expect.objectContaining({ code: 'bad-tokenizer' }));
});

test('a text that the tokenizer has no token for is refused', () => {
  const words = tinyTokenizerJson({
    model: { type: 'WordLevel', vocab: { red: 0, boat: 1 }, unk_token: '[UNK]' },
    pre_tokenizer: { type: 'WhitespaceSplit' },
    added_tokens: [],
  });
  const tokenizer = openTokenizer(words, null, 10);
  expect(tokenizer.encode('red boat')).toEqual([0, 1]);
  expect(() => tokenizer.encode('red kite')).toThrow("no token for a piece of the text, nor its unk_token '[UNK]'");
});

test.each([[[-1]], [[1.5]], [[5, Number.NaN]], [[tinyVocab]]])('%j are no ids', (ids) => {
  expect(() => tiny().decode(ids)).toThrow(expect.objectContaining({ code: 'bad-argument' }));
});

const shared = join(process.cwd(), '../shared');
const absent = !existsSync(shared);
const readJson = (path: string): unknown => JSON.parse(readFileSync(join(shared, path), 'utf8'));

test.skipIf(absent)('stories260K: the ids that its own tokenizer gave (skipped where ../shared is absent)', () => {
  const golden = readJson('golden/stories260K.json') as { first_200_chars: string; first_200_chars_ids: number[] };
  const tokenizer = openTokenizer(
    readJson('models/stories260K/tokenizer.json'),
    readJson('models/stories260K/tokenizer_config.json'),
    512,
  );
  const ids = tokenizer.encode(golden.first_200_chars);
  expect(ids).toEqual(golden.first_200_chars_ids);
  expect(tokenizer.encode(golden.first_200_chars, { specialTokens: true })).toEqual([1, ...ids]);
  for (const text of texts) expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
});

test.skipIf(absent)('a real 49k-entry tokenizer gives texts back (skipped where ../shared is absent)', () => {
  const tokenizer = openTokenizer(readJson('tokenizers/smollm_tokenizer.json'), null, 50000);
  for (const text of texts) expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
  expect(() => openTokenizer(readJson('tokenizers/smollm_tokenizer.json'), null, 49151)).toThrow('do not fit');
});
