/**
 * @file Where a pattern of tokenizer.json lies in a text, and how a text is cut there: as Hugging Face's tokenizers does
 * (Rust, 0.23). Regular expressions are Oniguruma's; the JavaScript library of the same name translates them.
 */
import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import type { LabError } from '../../errors';
import { withoutBacktracking } from './atomic';
import { badTokenizer, beat } from './bounds';

export type Pattern = { String: string } | { Regex: string };
/** Start and end of each match in UTF-16 units, in order, without overlap. */
export type Matches = [start: number, end: number][];
export type Find = (text: string) => Matches;
export type Behavior = 'Removed' | 'Isolated' | 'MergedWithPrevious' | 'MergedWithNext' | 'Contiguous';

/** Steps between two signs of life. */
const beatEvery = 2 ** 12;

/** A function that finds a pattern. `where` names the component in errors. Throws 'bad-tokenizer'. */
export function finder(pattern: Pattern, where: string): Find {
  if ('String' in pattern) {
    const escaped = pattern.String.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
    return regexFinder(new RegExp(escaped, 'gu'));
  }
  return regexFinder(translated(pattern.Regex, where));
}

export function regexFinder(regex: RegExp): Find {
  return (text) => {
    const found: Matches = [];
    let last = -1;
    for (const match of text.matchAll(regex)) {
      const end = match.index + match[0].length;
      if (insidePair(text, match.index) || insidePair(text, end)) continue;
      // Oniguruma's search takes no empty match right behind the last one.
      if (end === match.index && match.index === last) continue;
      found.push([match.index, end]);
      if (found.length % beatEvery === 0) beat();
      last = end;
    }
    return found;
  };
}

/** Whether a place lies between the two units of one character: JavaScript finds empty matches there. */
function insidePair(text: string, at: number): boolean {
  return at > 0 && at < text.length && text.codePointAt(at - 1)! > 0xffff;
}

/** Every single character that `is`. */
export function characterFinder(is: (character: string) => boolean): Find {
  return (text) => {
    const found: Matches = [];
    for (let at = 0; at < text.length; ) {
      const character = String.fromCodePoint(text.codePointAt(at)!);
      if (is(character)) found.push([at, at + character.length]);
      at += character.length;
      if (at % beatEvery === 0) beat();
    }
    return found;
  };
}

/** Oniguruma's syntax as JavaScript's, by the library's own translation. */
function translated(source: string, where: string): RegExp {
  const refuse = (reason: string, cause?: unknown): LabError =>
    badTokenizer(
      `tokenizer.json: ${where}: the expression ${source.slice(0, 100)}: ${reason.slice(0, 200)}`,
      undefined,
      cause,
    );
  // Oniguruma's options have other meanings in JavaScript; the library knows one, and the page's browser may know more.
  if (/\(\?[a-zA-Z-]+[:)]/.test(source.replaceAll('(?i:', '(')))
    throw refuse('options other than (?i:…) are not supported');
  if (source.includes('(?i:') && /[^\0-\x7f]/.test(source))
    throw refuse('other letters than ASCII with (?i:…) are not supported');
  let regex: unknown;
  try {
    const { normalizer } = new HuggingFaceTokenizer(
      {
        model: { type: 'BPE', vocab: {}, merges: [] },
        added_tokens: [],
        normalizer: {
          type: 'Replace',
          pattern: { Regex: withoutBacktracking(spelledOut(source), refuse) },
          content: '',
        },
        pre_tokenizer: null,
        post_processor: null,
        decoder: null,
      },
      {},
    ) as unknown as { normalizer?: { pattern?: unknown } };
    regex = normalizer?.pattern;
  } catch (cause) {
    throw refuse(cause instanceof Error ? cause.message : String(cause), cause);
  }
  if (regex instanceof RegExp) {
    // Without case, Oniguruma takes ſ for s and the Kelvin sign for k; the library folds ASCII alone.
    const folded = regex.source.replaceAll('[sS]', '[sS\\u017f]').replaceAll('[kK]', '[kK\\u212a]');
    return new RegExp(source.includes('(?i:') ? folded : regex.source, 'gu');
  }
  throw refuse('it cannot be translated');
}

/** What the library's translation does not know, in words that it does: \\R, and classes negated within their braces. */
function spelledOut(source: string): string {
  return source.replace(/\\([pP])\{\^([^}]*)\}|\\R|\\[\s\S]/g, (found, p: string | undefined, name: string) => {
    if (p !== undefined) return `\\${p === 'p' ? 'P' : 'p'}{${name}}`;
    return found === '\\R' ? '(?:\\r\\n|[\\n\\x0B\\f\\r\\x{85}\\x{2028}\\x{2029}])' : found;
  });
}

/**
 * The parts of a text that a cut leaves, [start, end), none empty.
 * @param invert what lies between the matches counts as matching, and the matches do not
 */
export function cut(text: string, matches: Matches, behavior: Behavior, invert = false): Matches {
  const parts: { start: number; end: number; match: boolean }[] = [];
  let done = 0;
  for (const [start, end] of matches) {
    if (start > done) parts.push({ start: done, end: start, match: invert });
    parts.push({ start, end, match: !invert });
    done = end;
  }
  if (done < text.length) parts.push({ start: done, end: text.length, match: invert });
  return merged(parts, behavior)
    .filter(({ start, end }) => end > start)
    .map(({ start, end }) => [start, end]);
}

type Part = { start: number; end: number; match: boolean };

function merged(parts: Part[], behavior: Behavior): Part[] {
  switch (behavior) {
    case 'Isolated':
      return parts;
    case 'Removed':
      return parts.filter(({ match }) => !match);
    case 'Contiguous':
      return joined(parts, (part, before) => part.match === before, false);
    case 'MergedWithPrevious':
      return joined(parts, (part, before) => part.match && !before, false);
    case 'MergedWithNext':
      return joined(parts.reverse(), (part, before) => part.match && !before, true).reverse();
  }
}

/** Joins a part to the last one where `joins` says so of it and of whether the part before it matched. */
function joined(parts: Part[], joins: (part: Part, before: boolean) => boolean, backwards: boolean): Part[] {
  const made: Part[] = [];
  let before = false;
  for (const part of parts) {
    const last = made.at(-1);
    if (last && joins(part, before)) {
      if (backwards) last.start = part.start;
      else last.end = part.end;
    } else made.push({ ...part });
    before = part.match;
  }
  return made;
}
