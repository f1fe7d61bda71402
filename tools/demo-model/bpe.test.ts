import { Tokenizer } from '@huggingface/tokenizers';
import { describe, expect, it } from 'vitest';
import { storyAt } from '../../src/text/stories/index';
import { createEncoder, scoreStories } from './account';
import { byteAlphabet, countWords, tokenizerJson, trainBpe, wordsOf } from './bpe';

const book = Array.from({ length: 50 }, (_, index) => storyAt(8, index));
const bpe = trainBpe(countWords(book.map((story) => story.text)), 700);
const tokenizer = new Tokenizer(tokenizerJson(bpe), {});
const encode = createEncoder(tokenizer);
/** Ids without the token that begins a text. */
const plain = (text: string): number[] => tokenizer.encode(text, { add_special_tokens: false }).ids;

describe('byteAlphabet', () => {
  it('gives each byte its own character, as GPT-2 does', () => {
    const alphabet = byteAlphabet();
    expect(new Set(alphabet).size).toBe(256);
    expect([alphabet[32], alphabet[10], alphabet[65]]).toEqual(['Ġ', 'Ċ', 'A']);
  });
});

describe('trainBpe', () => {
  it('merges the most frequent pair first', () => {
    const { merges } = trainBpe(
      new Map([
        ['abab', 2],
        ['ab', 3],
        ['cb', 4],
      ]),
      259,
    );
    expect(merges).toEqual([['a', 'b']]);
  });

  it('stops when nothing is left to merge', () => {
    expect(trainBpe(new Map([['aa', 5]]), 1000).vocab.size).toBe(259);
  });
});

describe('tokenizerJson', () => {
  it('loads in the library and encodes any text without loss', () => {
    for (const text of [...book.map((story) => story.text), 'naïve 東京 🙂\n\tx1', "it's  two"]) {
      expect(tokenizer.decode(plain(text))).toBe(text);
    }
  });
});

it('puts the token that begins a text before it', () => {
  expect(tokenizer.encode('Tom').ids).toEqual([0, ...plain('Tom')]);
});

describe('createEncoder', () => {
  it('gives word by word what the library gives for the whole', () => {
    for (const { text } of book) expect(encode(text)).toEqual(plain(text));
    expect(wordsOf(book[0]!.text).join('')).toBe(book[0]!.text);
  });
});

describe('scoreStories', () => {
  it('spreads exactly the surprise of the stories over the tokens', () => {
    const { ids, nats } = scoreStories(book, encode, tokenizer);
    expect(nats).toHaveLength(ids.length);
    const ending = book.at(-1)!.pieces.at(-1)!.nats; // is paid by the story that would follow
    const told = book.reduce((sum, story) => sum + story.nats, 0) - ending;
    expect(nats.reduce((sum, each) => sum + each, 0)).toBeCloseTo(told, 6);
  });
});
