/** @file A tokenizer whose sequences can be read: one token per character, 'a' = 1, `<s>` = 0, written '|'. */
import type { SyncTokenizer } from '../tokenizer';

/** Any character has a token; other than letters they are what `decode` cannot tell apart, '?'. */
export function lettersTokenizer(more: Partial<SyncTokenizer> = {}): SyncTokenizer {
  const addsBos = more.addsBos ?? true;
  return {
    bosId: 0,
    addsBos,
    eosId: null,
    size: 28,
    notes: [],
    unknownId: null,
    encode: (text, { specialTokens = false } = {}) => [
      ...(specialTokens && addsBos ? [0] : []),
      ...Array.from(text, (letter) => (/[a-z]/.test(letter) ? letter.charCodeAt(0) - 96 : 27)),
    ],
    decode: (ids) => ids.map((id) => (id === 0 ? '|' : id === 27 ? '?' : String.fromCharCode(96 + id))).join(''),
    ...more,
  };
}
