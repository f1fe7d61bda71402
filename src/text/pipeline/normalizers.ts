/** @file Normalizers of tokenizer.json: text → text, as Hugging Face's tokenizers 0.23 (Rust) computes them. */
import { badTokenizer, checkGrowth, growthLimit, maxSteps } from './bounds';
import { asByteCharacters, isChinese, isOther, isWhiteSpace } from './characters';
import { type Find, finder } from './pattern';
import { precompiledNormalizer } from './precompiled';
import type { NormalizerJson } from './schema';

export type Normalize = (text: string) => Normalized;

export interface Normalized {
  readonly text: string;
  /** Its first character came from the first one of what was normalized: no step took that away. */
  readonly fromStart: boolean;
}

/**
 * One function of a normalizer and all its steps, within the bound on growth. Throws 'bad-tokenizer'.
 * @param insertions whether Replace may put text where nothing was: with a pre-tokenizer behind, Rust's places are then wrong
 */
export function normalizerOf(json: NormalizerJson | null, insertions: boolean): Normalize {
  const steps = json === null ? [] : flat(json).map((step) => ({ type: step.type, run: stepOf(step, insertions) }));
  if (steps.length > maxSteps) {
    throw badTokenizer(`tokenizer.json: normalizer: expected at most ${maxSteps} steps, got ${steps.length}`);
  }
  return (text) => {
    const limit = growthLimit(text.length);
    let made = text;
    let fromStart = true;
    for (const { type, run } of steps) {
      const before = made;
      made = run(before, limit);
      checkGrowth(made.length, limit, `the normalizer's step ${type}`);
      // What deletes, deletes one character as it deletes a text: the first one alone tells.
      if (fromStart && deleting.has(type) && before !== '') {
        const first = String.fromCodePoint(before.codePointAt(0)!);
        fromStart = run(first, limit) !== '';
      }
    }
    return { text: made, fromStart };
  };
}

/** Steps that may take characters away. */
const deleting: ReadonlySet<string> = new Set([
  'Strip',
  'StripAccents',
  'Replace',
  'Nmt',
  'BertNormalizer',
  'Precompiled',
]);

type Step = Exclude<NormalizerJson, { type: 'Sequence' }>;

function flat(json: NormalizerJson): Step[] {
  return json.type === 'Sequence' ? json.normalizers.flatMap(flat) : [json];
}

/** A step and the length that its result must not exceed. */
function stepOf(json: Step, insertions: boolean): (text: string, limit: number) => string {
  switch (json.type) {
    case 'NFC':
    case 'NFD':
    case 'NFKC':
    case 'NFKD':
      return (text) => text.normalize(json.type);
    case 'StripAccents':
      return (text) => text.replace(/\p{M}/gu, '');
    case 'Lowercase':
      return lowercase;
    case 'Nmt':
      return nmt;
    case 'ByteLevel':
      return asByteCharacters;
    case 'Replace': {
      const find = finder(json.pattern, 'normalizer Replace');
      const checked = (text: string) => {
        const found = find(text);
        if (insertions || found.every(([start, end]) => end > start)) return found;
        throw badTokenizer(
          'tokenizer.json: a Replace that inserts text at empty matches is not supported with a pre-tokenizer',
          'Use Prepend, or a pattern that matches characters.',
        );
      };
      return (text, limit) => replaced(text, checked, json.content, limit);
    }
    case 'Prepend':
      return (text) => (text === '' ? '' : json.prepend + text);
    case 'Strip':
      return (text) => stripped(text, json.strip_left, json.strip_right);
    case 'BertNormalizer':
      return (text) => bert(text, json);
    case 'Precompiled':
      return precompiledNormalizer(json.precompiled_charsmap);
  }
}

/** Every match becomes `content`. Throws 'bad-tokenizer' beyond `limit` characters, before they are made. */
export function replaced(text: string, find: Find, content: string, limit: number): string {
  if (text === '') return text;
  const matches = find(text);
  if (matches.length === 0) return text;
  const gone = matches.reduce((sum, [start, end]) => sum + end - start, 0);
  checkGrowth(text.length - gone + matches.length * content.length, limit, 'Replace');
  const parts: string[] = [];
  let done = 0;
  for (const [start, end] of matches) {
    parts.push(text.slice(done, start), content);
    done = end;
  }
  parts.push(text.slice(done));
  return parts.join('');
}

/** Character by character: a whole text's toLowerCase writes a word's last Σ as ς. */
export function lowercase(text: string): string {
  const lower = text.toLowerCase();
  return text.includes('Σ') ? Array.from(text, (character) => character.toLowerCase()).join('') : lower;
}

function stripped(text: string, left: boolean, right: boolean): string {
  let start = 0;
  let end = text.length;
  // White space is never a surrogate pair.
  while (left && start < end && isWhiteSpace(text[start]!)) start += 1;
  while (right && end > start && isWhiteSpace(text[end - 1]!)) end -= 1;
  return text.slice(start, end);
}

/** Characters that the normalizer Nmt drops, and those that it writes as a space. */
const dropped = characterClass([0x01, 0x08], [0x0b], [0x0e, 0x1f], [0x7f], [0x8f], [0x9f]);
const spaces = characterClass(
  [0x09],
  [0x0a],
  [0x0c],
  [0x0d],
  [0x1680],
  [0x200b, 0x200f],
  [0x2028],
  [0x2029],
  [0x2581],
  [0xfeff],
  [0xfffd],
);

function characterClass(...ranges: (readonly [first: number, last?: number])[]): RegExp {
  const hex = (code: number): string => `\\u{${code.toString(16)}}`;
  return new RegExp(`[${ranges.map(([first, last = first]) => `${hex(first)}-${hex(last)}`).join('')}]`, 'gu');
}

function nmt(text: string): string {
  return text.replace(dropped, '').replace(spaces, ' ');
}

function bert(
  text: string,
  { clean_text, handle_chinese_chars, strip_accents, lowercase: lower }: Extract<Step, { type: 'BertNormalizer' }>,
): string {
  let made = text;
  if (clean_text) {
    made = Array.from(made, (character) => {
      if (character === '\0' || character === '\ufffd') return '';
      if (isOther(character) && !/[\t\n\r]/.test(character)) return '';
      return isWhiteSpace(character) ? ' ' : character;
    }).join('');
  }
  if (handle_chinese_chars) {
    made = Array.from(made, (character) => (isChinese(character) ? ` ${character} ` : character)).join('');
  }
  if (strip_accents ?? lower) made = made.normalize('NFD').replace(/\p{Mn}/gu, '');
  return lower ? lowercase(made) : made;
}
