/** @file The files beside tokenizer.json, checked against what transformers 5.18 makes of the same folders. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { tinyTokenizerJson, tinyVocab } from './testing/tinyTokenizer';
import { openTokenizer } from './tokenizer';

interface Folder {
  name: string;
  files: { config?: object; tokenizer?: object; added?: object; map?: object };
  ids: number[][];
  /** With special tokens. */
  special: number[][];
  bos: number | null;
  eos: number | null;
  decoded: string[];
  skipped: string[];
}

const { texts, tokenizer, folders } = JSON.parse(readFileSync('tools/tokenizers/fixtures/files.json', 'utf8')) as {
  texts: string[];
  tokenizer: object;
  folders: Folder[];
};

test.each(folders)('$name', ({ files, ids, special, bos, eos, decoded, skipped }) => {
  const json = { ...tokenizer, ...files.tokenizer };
  const more = { addedTokens: files.added, specialTokensMap: files.map };
  const opened = openTokenizer(json, files.config, 5000, more);
  expect(texts.map((text) => opened.encode(text))).toEqual(ids);
  expect(texts.map((text) => opened.encode(text, { specialTokens: true }))).toEqual(special);
  expect(ids.map((each) => opened.decode(each))).toEqual(decoded);
  expect(ids.map((each) => opened.decode(each, { skipSpecial: true }))).toEqual(skipped);
  expect(opened).toMatchObject({ bosId: bos, eosId: eos });
});

test.each<[string, object | null, object]>([
  ['added_tokens_decoder without ids', { added_tokens_decoder: { x: '<a>' } }, {}],
  ['added_tokens_decoder without content', { added_tokens_decoder: { '5': { special: true } } }, {}],
  ['added_tokens_decoder as a list', { added_tokens_decoder: ['<a>'] }, {}],
  ['added_tokens.json with texts for ids', null, { addedTokens: { '<a>': 'x' } }],
  ['added_tokens.json as a list', null, { addedTokens: ['<a>'] }],
  ['special_tokens_map.json with numbers', null, { specialTokensMap: { bos_token: 5 } }],
])('%s: refused', (_, config, more) => {
  expect(() => openTokenizer(tinyTokenizerJson(), config, tinyVocab, more)).toThrow(
    expect.objectContaining({ code: 'bad-tokenizer' }),
  );
});
