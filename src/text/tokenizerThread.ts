/** @file What the thread of a tokenizer can do: open one from the texts of its files, try it, encode and decode. */
import { LabError } from '../errors';
import { parseJson } from '../io/json';
import { badTokenizer } from './pipeline/bounds';
import type { ThreadMethods, ThreadTask } from './thread';
import { openTokenizer, type SyncTokenizer, type TokenizerFacts } from './tokenizer';

/** The texts of a tokenizer's files; null where there is none. */
export interface TokenizerTexts {
  readonly tokenizer: string;
  readonly config: string | null;
  readonly addedTokens: string | null;
  readonly specialTokensMap: string | null;
}

/** One tokenizer per thread. */
export function tokenizerMethods(): ThreadMethods {
  let open: SyncTokenizer | null = null;
  const tokenizer = (): SyncTokenizer => {
    if (open) return open;
    throw new LabError('internal', 'The thread has no tokenizer.', 'This is a bug in Secateur: please report it.');
  };
  return {
    open(_task: ThreadTask, texts: TokenizerTexts, vocab: number): TokenizerFacts {
      open = openTexts(texts, vocab);
      tryTokenizer(open);
      const { bosId, eosId, addsBos, size, notes } = open;
      return { bosId, eosId, addsBos, size, notes };
    },
    encode({ heard }: ThreadTask, text: string, specialTokens: boolean): Int32Array<ArrayBuffer> {
      return Int32Array.from(tokenizer().encode(text, { specialTokens }, heard));
    },
    decode(_task: ThreadTask, ids: readonly number[], skipSpecial: boolean): string {
      return tokenizer().decode(ids, { skipSpecial });
    },
  };
}

function openTexts({ tokenizer, config, addedTokens, specialTokensMap }: TokenizerTexts, vocab: number): SyncTokenizer {
  const parse = (text: string | null, file: string): unknown =>
    text === null ? null : parseJson(text, file, 'bad-tokenizer');
  return openTokenizer(parse(tokenizer, 'tokenizer.json'), parse(config, 'tokenizer_config.json'), vocab, {
    addedTokens: parse(addedTokens, 'added_tokens.json'),
    specialTokensMap: parse(specialTokensMap, 'special_tokens_map.json'),
  });
}

/** Letters, digits and marks, with a space at either end of words and a line's end. */
const sentence = 'The quick brown fox jumps over 13 lazy dogs,\nand the big tree said: "Hello world!"';

/**
 * A sentence must become tokens, and the tokens the sentence's letters. Where the tokenizer has no tokens for some letters,
 * those that come back must be the sentence's, in its order. Throws 'bad-tokenizer'.
 */
export function tryTokenizer(tokenizer: SyncTokenizer): void {
  const ids = tokenizer.encode(sentence);
  tokenizer.encode(sentence, { specialTokens: true });
  if (ids.length === 0) {
    throw badTokenizer(
      'tokenizer.json produces no tokens for an English sentence',
      'Use the file that belongs to the model.',
    );
  }
  const known = ids.filter((id) => id !== tokenizer.unknownId);
  const wanted = letters(sentence);
  const got = letters(tokenizer.decode(known));
  if (got === wanted || (missesLetters(tokenizer, ids, wanted) && isWithin(got, wanted))) return;
  throw badTokenizer(
    `tokenizer.json: decoding changes the letters of a sentence: expected '${wanted.slice(0, 40)}…', got '${got.slice(0, 40)}…'`,
    'Use the file that belongs to the model: its decoder does not match its other parts.',
  );
}

/** Whether the tokenizer has no token for some letter of the sentence by itself. */
function missesLetters(tokenizer: SyncTokenizer, ids: readonly number[], wanted: string): boolean {
  if (tokenizer.unknownId !== null && ids.includes(tokenizer.unknownId)) return true;
  return [...new Set(wanted)].some(
    (letter) => !tokenizer.decode(tokenizer.encode(letter)).toLowerCase().includes(letter),
  );
}

function letters(text: string): string {
  return text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '');
}

/** Whether the characters of `part` come in `whole` in their order. */
function isWithin(part: string, whole: string): boolean {
  let at = 0;
  for (const character of part) {
    at = whole.indexOf(character, at) + 1;
    if (at === 0) return false;
  }
  return true;
}
