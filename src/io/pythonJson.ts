/**
 * @file JSON as Python's json module reads it: also NaN, Infinity and -Infinity, which Python writes and JSON has not.
 *
 * Slower than JSON.parse, and asked only where that refuses. Without recursion: depth is bounded by a number, not by
 * the stack.
 */

/** Deeper than any file of a model; Python gives up at about the same depth. */
export const maxJsonDepth = 900;

/** Where a text stops being JSON: both from 1. */
export class JsonFault extends Error {
  readonly line: number;
  readonly column: number;

  constructor(what: string, text: string, at: number) {
    const before = text.slice(0, at);
    const line = before.split('\n').length;
    const column = at - before.lastIndexOf('\n');
    // A line of JSON Lines has its number from whoever reads the file.
    super(text.includes('\n') ? `${what} in line ${line}, column ${column}` : `${what} in column ${column}`);
    this.line = line;
    this.column = column;
  }
}

type Container = { readonly list: unknown[] } | { readonly fields: Map<string, unknown>; key: string };

const numberPattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const words: readonly (readonly [string, unknown])[] = [
  ...([
    ['null', null],
    ['true', true],
    ['false', false],
  ] as const),
  ...([
    ['NaN', Number.NaN],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['-Infinity', Number.NEGATIVE_INFINITY],
  ] as const),
];

/** The value of a text. A field said twice has its last value, as in Python. Throws JsonFault. */
export function parsePythonJson(text: string): unknown {
  const open: Container[] = [];
  let at = skipSpace(text, 0);
  for (;;) {
    // A value begins here.
    let value: unknown;
    const first = text[at];
    if (first === '[' || first === '{') {
      if (open.length >= maxJsonDepth) throw tooDeep(text, at);
      at = skipSpace(text, at + 1);
      const closing = first === '[' ? ']' : '}';
      if (text[at] !== closing) {
        const entered: Container = first === '[' ? { list: [] } : { fields: new Map(), key: '' };
        open.push(entered);
        if ('fields' in entered) at = readKey(text, at, entered);
        continue;
      }
      value = first === '[' ? [] : {};
      at += 1;
    } else {
      const read = readScalar(text, at);
      value = read.value;
      at = read.end;
    }
    // It ends here, and with it perhaps what it lies in.
    for (;;) {
      at = skipSpace(text, at);
      const inside = open.at(-1);
      if (inside === undefined) {
        if (at < text.length) throw new JsonFault('more text than one value', text, at);
        return value;
      }
      if ('list' in inside) inside.list.push(value);
      else inside.fields.set(inside.key, value);
      const next = text[at];
      if (next === ',') {
        at = skipSpace(text, at + 1);
        if ('fields' in inside) at = readKey(text, at, inside);
        break;
      }
      if (next !== ('list' in inside ? ']' : '}')) {
        throw new JsonFault(`expected ',' or '${'list' in inside ? ']' : '}'}'`, text, at);
      }
      at += 1;
      open.pop();
      // fromEntries defines its fields, so that one named __proto__ is a field like any other.
      value = 'list' in inside ? inside.list : Object.fromEntries(inside.fields);
    }
  }
}

/** Throws JsonFault where a JSON text nests deeper than the bound. */
export function boundDepth(text: string): void {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22) {
      at = endOfString(text, at);
    } else if (code === 0x5b || code === 0x7b) {
      depth += 1;
      if (depth > maxJsonDepth) throw tooDeep(text, at);
    } else if (code === 0x5d || code === 0x7d) {
      depth -= 1;
    }
  }
}

/** Place of the quote that ends a string. */
function endOfString(text: string, begin: number): number {
  for (let at = text.indexOf('"', begin + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let slashes = 0;
    while (text[at - 1 - slashes] === '\\') slashes += 1;
    if (slashes % 2 === 0) return at;
  }
  return text.length;
}

function readKey(text: string, at: number, into: { key: string }): number {
  if (text[at] !== '"') throw new JsonFault('expected a name in double quotes', text, at);
  const { value, end } = readString(text, at);
  into.key = value;
  const colon = skipSpace(text, end);
  if (text[colon] !== ':') throw new JsonFault("expected ':'", text, colon);
  return skipSpace(text, colon + 1);
}

function readScalar(text: string, at: number): { value: unknown; end: number } {
  if (text[at] === '"') return readString(text, at);
  for (const [word, value] of words) {
    if (text.startsWith(word, at)) return { value, end: at + word.length };
  }
  numberPattern.lastIndex = at;
  const found = numberPattern.exec(text);
  if (found) return { value: Number(found[0]), end: at + found[0].length };
  throw new JsonFault(at >= text.length ? 'the text ends where a value should be' : 'expected a value', text, at);
}

function readString(text: string, at: number): { value: string; end: number } {
  const end = endOfString(text, at) + 1;
  try {
    // One string is the same in both.
    return { value: String(JSON.parse(text.slice(at, end))), end };
  } catch {
    throw new JsonFault('a malformed string', text, at);
  }
}

function skipSpace(text: string, begin: number): number {
  let at = begin;
  while (text[at] === ' ' || text[at] === '\n' || text[at] === '\r' || text[at] === '\t') at += 1;
  return at;
}

function tooDeep(text: string, at: number): JsonFault {
  return new JsonFault(`values nested more than ${maxJsonDepth} levels deep`, text, at);
}
