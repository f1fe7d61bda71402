/**
 * @file sentencepiece's precompiled normalization: a double-array trie from UTF-8 bytes to replacements, applied to
 * grapheme clusters and then to characters, as Rust's spm_precompiled does.
 */
import { badTokenizer } from './bounds';
import { textOfBytes, utf8 } from './characters';

/** Clusters shorter than this are looked up whole first, in UTF-8 bytes. */
const wholeClusterBytes = 6;

/** @param charsmap base64 of: uint32 bytes of the trie; the trie's uint32 units; replacements, each ended by a 0 byte */
export function precompiledNormalizer(charsmap: string): (text: string) => string {
  const bytes = decodeBase64(charsmap);
  const view = new DataView(bytes.buffer);
  const trieBytes = bytes.length >= 4 ? view.getUint32(0, true) : 0;
  if (trieBytes === 0 || trieBytes % 4 !== 0 || 4 + trieBytes > bytes.length) {
    throw badTokenizer(
      `tokenizer.json: precompiled_charsmap: expected a trie and its texts, got ${bytes.length} bytes with a trie of ${trieBytes}`,
    );
  }
  const units = Uint32Array.from({ length: trieBytes / 4 }, (_, unit) => view.getUint32(4 + 4 * unit, true));
  const texts = bytes.subarray(4 + trieBytes);
  const segmenter = new Intl.Segmenter('und', { granularity: 'grapheme' });
  const known = new Map<string, string | null>();
  const lookup = (part: string): string | null => {
    let found = known.get(part);
    if (found === undefined) {
      found = replacement(units, texts, utf8(part));
      if (known.size > 2 ** 16) known.clear();
      known.set(part, found);
    }
    return found;
  };
  return (text) => {
    let made = '';
    for (const { segment } of segmenter.segment(text)) {
      const whole = utf8(segment).length < wholeClusterBytes ? lookup(segment) : null;
      if (whole !== null) made += whole;
      else for (const character of segment) made += lookup(character) ?? character;
    }
    return made;
  };
}

/** The text of the shortest key that begins the bytes; null where there is none. */
function replacement(units: Uint32Array, texts: Uint8Array, key: Uint8Array): string | null {
  const unitAt = (at: number): number => {
    const unit = units[at];
    if (unit === undefined) throw badTokenizer('tokenizer.json: precompiled_charsmap: the trie points out of range');
    return unit;
  };
  const offset = (unit: number): number => (unit >>> 10) << ((unit & (1 << 9)) >>> 6);
  let at = 0;
  let unit = unitAt(at);
  at ^= offset(unit);
  for (const byte of key) {
    if (byte === 0) break;
    at ^= byte;
    unit = unitAt(at);
    if ((unit & ((1 << 31) | 0xff)) >>> 0 !== byte) return null;
    at ^= offset(unit);
    if (((unit >>> 8) & 1) === 1) return textAt(texts, unitAt(at) & 0x7fffffff);
  }
  return null;
}

function textAt(texts: Uint8Array, start: number): string {
  if (start > texts.length)
    throw badTokenizer('tokenizer.json: precompiled_charsmap: a replacement text is out of range');
  const end = texts.indexOf(0, start);
  return textOfBytes(texts.subarray(start, end === -1 ? texts.length : end));
}

function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch (cause) {
    throw badTokenizer('tokenizer.json: precompiled_charsmap: expected base64', undefined, cause);
  }
}
