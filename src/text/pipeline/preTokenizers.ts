/** @file Pre-tokenizers of tokenizer.json: a text → the pieces that the model sees, as tokenizers 0.23 (Rust) cuts them. */
import { badTokenizer, beat, checkGrowth, growthLimit, maxSteps } from './bounds';
import { asByteCharacters, isNumeric, isPunctuation, isWhiteSpace, wordClass } from './characters';
import { type Behavior, characterFinder, cut, type Find, finder, type Matches, regexFinder } from './pattern';
import type { MetaspaceJson, PreTokenizerJson } from './schema';
import { scriptBoundaries } from './scripts';

/** Pieces of a stretch of text; `first`: the first piece begins where the whole text does. */
export interface Pieces {
  readonly texts: readonly string[];
  readonly first: boolean;
}

export type PreTokenize = (pieces: Pieces) => Pieces;

/** One function of a pre-tokenizer and all its steps. Throws 'bad-tokenizer'. */
export function preTokenizerOf(json: PreTokenizerJson | null): PreTokenize {
  const steps = json === null ? [] : flat(json);
  if (steps.length > maxSteps) {
    throw badTokenizer(`tokenizer.json: pre_tokenizer: expected at most ${maxSteps} steps, got ${steps.length}`);
  }
  const run = steps.map((step) => ({ type: step.type, step: stepOf(step) }));
  return (pieces) => {
    const limit = growthLimit(lengthOf(pieces));
    let made = pieces;
    for (const { type, step } of run) {
      made = step(made);
      checkGrowth(lengthOf(made), limit, `the pre-tokenizer's step ${type}`);
    }
    return made;
  };
}

function lengthOf({ texts }: Pieces): number {
  return texts.reduce((sum, text) => sum + text.length, 0);
}

type Step = Exclude<PreTokenizerJson, { type: 'Sequence' }>;

function flat(json: PreTokenizerJson): Step[] {
  return json.type === 'Sequence' ? json.pretokenizers.flatMap(flat) : [json];
}

/** Pieces between two signs of life. */
const beatEvery = 2 ** 12;

/** Words as GPT-2 cuts them. */
const gpt2 =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;
const words = new RegExp(`${wordClass}+|[^${wordClass.slice(1, -1)}\\p{White_Space}]+`, 'gu');

function stepOf(json: Step): PreTokenize {
  switch (json.type) {
    case 'BertPreTokenizer': {
      const spaces = cutter(characterFinder(isWhiteSpace), 'Removed');
      const marks = cutter(characterFinder(isPunctuation), 'Isolated');
      return (pieces) => marks(spaces(pieces));
    }
    case 'Whitespace':
      return cutter(regexFinder(words), 'Removed', true);
    case 'WhitespaceSplit':
      return cutter(characterFinder(isWhiteSpace), 'Removed');
    case 'UnicodeScripts':
      return ranges(scriptBoundaries);
    case 'CharDelimiterSplit':
      return cutter(
        characterFinder((character) => character === json.delimiter),
        'Removed',
      );
    case 'Digits':
      return cutter(characterFinder(isNumeric), json.individual_digits ? 'Isolated' : 'Contiguous');
    case 'Punctuation':
      return cutter(characterFinder(isPunctuation), json.behavior);
    case 'FixedLength':
      return ranges((text) => everyFew(text, json.length));
    case 'Split':
      return cutter(finder(json.pattern, 'pre_tokenizer Split'), json.behavior, json.invert);
    case 'ByteLevel': {
      const find = regexFinder(gpt2);
      const split = json.use_regex ? cutter(find, 'Isolated') : (pieces: Pieces) => pieces;
      return ({ texts, first }) => {
        const spaced = json.add_prefix_space ? texts.map((text) => (text.startsWith(' ') ? text : ` ${text}`)) : texts;
        const made = split({ texts: spaced, first });
        return { ...made, texts: made.texts.map(asBytes) };
      };
    }
    case 'Metaspace':
      return metaspace(json);
  }
}

function asBytes(text: string, index: number): string {
  if (index % beatEvery === 0) beat();
  return asByteCharacters(text);
}

function metaspace({ replacement, prepend_scheme, split }: MetaspaceJson): PreTokenize {
  const cutAt = cutter(
    characterFinder((character) => character === replacement),
    'MergedWithNext',
  );
  return ({ texts, first }) => {
    const marked = texts.map((text, index) => {
      const replaced = text.replaceAll(' ', replacement);
      const wanted = prepend_scheme === 'always' || (prepend_scheme === 'first' && first && index === 0);
      return wanted && !replaced.startsWith(replacement) ? replacement + replaced : replaced;
    });
    return split ? cutAt({ texts: marked, first }) : { texts: marked, first };
  };
}

function cutter(find: Find, behavior: Behavior, invert = false): PreTokenize {
  return ranges((text) => cut(text, find(text), behavior, invert));
}

/** Every piece becomes the parts of it that `parts` names, [start, end). */
function ranges(parts: (text: string) => Matches): PreTokenize {
  return ({ texts, first }) => {
    const made: string[] = [];
    let still = false;
    for (const [index, text] of texts.entries()) {
      if (index % beatEvery === 0) beat();
      for (const [at, [start, end]] of parts(text).entries()) {
        if (first && index === 0 && at === 0) still = start === 0;
        made.push(text.slice(start, end));
      }
    }
    return { texts: made, first: still };
  };
}

/** Stretches of `length` characters; the last one may be shorter. */
function everyFew(text: string, length: number): Matches {
  const parts: Matches = [];
  let start = 0;
  let taken = 0;
  let at = 0;
  for (const character of text) {
    at += character.length;
    taken += 1;
    if (taken < length && at < text.length) continue;
    parts.push([start, at]);
    [start, taken] = [at, 0];
  }
  return parts;
}
