/** @file The model BPE of tokenizer.json, as tokenizers 0.23 (Rust) computes it. */
import * as v from 'valibot';
import { badTokenizer } from '../bounds';
import type { bpe } from '../schema';
import { Merges } from './merges';
import { addBytes, byteIds, type Model, vocabularyOf } from './model';

/** Pieces whose ids are remembered, and the longest of them. */
const remembered = 20_000;
const longestRemembered = 256;
/** Pieces beyond this length are cut where no merge reaches over first. */
const longPiece = 64;

const pair = v.tuple([v.string(), v.string()]);

/** Throws 'bad-tokenizer'. */
export function bpeModel(json: v.InferOutput<typeof bpe>): Model {
  const {
    continuing_subword_prefix: prefix,
    end_of_word_suffix: suffix,
    byte_fallback,
    fuse_unk,
    ignore_merges,
  } = json;
  if (json.dropout !== null && json.dropout !== 0) {
    throw badTokenizer(
      `tokenizer.json: model.dropout: expected none, got ${json.dropout}: dropout makes tokens random`,
      'Set dropout to null.',
    );
  }
  const vocabulary = vocabularyOf(json.vocab);
  const { ids: known } = vocabulary;
  const merges = new Merges();
  /** Tokens that merges make: no other token reaches over two characters. */
  const made: string[] = [];
  const kinds = new Set(json.merges.map((entry) => typeof entry));
  if (kinds.size > 1) throw badTokenizer('tokenizer.json: model.merges: expected texts or pairs, got both');
  for (const [index, entry] of json.merges.entries()) {
    const [left, right] = pairOf(entry, index);
    if (prefix !== null && right.length < prefix.length) {
      throw badTokenizer(`tokenizer.json: model.merges[${index}]: '${right.slice(0, 60)}' is shorter than the prefix`);
    }
    const token = left + (prefix === null ? right : right.slice(prefix.length));
    const [leftId, rightId, id] = [known.get(left), known.get(right), known.get(token)];
    if (leftId === undefined || rightId === undefined || id === undefined) {
      const missing = leftId === undefined ? left : rightId === undefined ? right : token;
      throw badTokenizer(`tokenizer.json: model.merges[${index}]: the vocabulary lacks '${missing.slice(0, 60)}'`);
    }
    merges.add(leftId, rightId, id);
    made.push(token);
  }
  const unknownId = json.unk_token === null ? null : (known.get(json.unk_token) ?? null);
  const bytes = byte_fallback ? byteIds(known) : null;
  const cache = new Map<string, readonly number[]>();
  const cutLong = prefix === null && suffix === null ? longPieces(made, known) : (piece: string) => [piece];

  /** The symbols that merging starts from. */
  const symbolsOf = (piece: string): number[] => {
    const symbols: number[] = [];
    let unknown = false;
    const addUnknown = (): void => {
      if (unknownId === null) {
        const message = `tokenizer.json: the text needs the unk_token '${json.unk_token?.slice(0, 60)}', which the vocabulary lacks`;
        throw badTokenizer(message, 'Use another text, or a tokenizer that covers all bytes.');
      }
      symbols.push(unknownId);
    };
    for (let at = 0; at < piece.length; ) {
      const character = String.fromCodePoint(piece.codePointAt(at)!);
      let symbol = character;
      if (at > 0 && prefix !== null) symbol = prefix + symbol;
      at += character.length;
      if (at >= piece.length && suffix !== null) symbol += suffix;
      const id = known.get(symbol);
      if (id !== undefined) {
        if (unknown) addUnknown();
        unknown = false;
        symbols.push(id);
        continue;
      }
      // As in Rust, an unknown character that waits to be written comes behind such bytes.
      if (bytes && addBytes(symbol, bytes, symbols)) continue;
      if (json.unk_token === null) continue;
      if (unknown && !fuse_unk) addUnknown();
      unknown = true;
    }
    if (unknown) addUnknown();
    return symbols;
  };

  const encodeShort = (piece: string, ids: number[], beat: () => void): void => {
    let found = cache.get(piece);
    if (found === undefined) {
      const merged: number[] = [];
      const symbols = symbolsOf(piece);
      if (symbols.length > 0) merges.apply(symbols, merged, beat);
      found = merged;
      if (piece.length <= longestRemembered) {
        if (cache.size >= remembered) cache.clear();
        cache.set(piece, found);
      }
    }
    for (const id of found) ids.push(id);
  };

  return {
    type: 'BPE',
    vocabulary,
    unknownId,
    encode(piece, ids, beat) {
      const whole = ignore_merges ? known.get(piece) : undefined;
      if (whole !== undefined) ids.push(whole);
      else if (piece.length <= longPiece) encodeShort(piece, ids, beat);
      else for (const part of cutLong(piece)) encodeShort(part, ids, beat);
    },
  };
}

function pairOf(entry: unknown, index: number): readonly [string, string] {
  const parts = typeof entry === 'string' ? entry.split(' ') : entry;
  if (v.is(pair, parts)) return parts;
  const got = String(JSON.stringify(entry)).slice(0, 60);
  throw badTokenizer(`tokenizer.json: model.merges[${index}]: expected two tokens, got ${got}`);
}

/**
 * Cuts a long piece between two characters that stand side by side in no token that merges make: no merge can reach over
 * such a place, so that the parts give the ids of the whole. Both characters must have tokens: unknown ones may be fused.
 */
function longPieces(made: readonly string[], known: ReadonlyMap<string, number>): (piece: string) => string[] {
  let inside: Set<string> | null = null;
  return (piece) => {
    inside ??= neighbours(made);
    const parts: string[] = [];
    let start = 0;
    let left = '';
    for (let at = 0; at < piece.length; ) {
      const right = String.fromCodePoint(piece.codePointAt(at)!);
      if (left !== '' && !inside.has(left + right) && known.has(left) && known.has(right)) {
        parts.push(piece.slice(start, at));
        start = at;
      }
      left = right;
      at += right.length;
    }
    parts.push(piece.slice(start));
    return parts;
  };
}

/** All pairs of characters that stand side by side in some token. */
function neighbours(tokens: readonly string[]): Set<string> {
  const pairs = new Set<string>();
  for (const token of tokens) {
    let left = '';
    for (const right of token) {
      if (left !== '') pairs.add(left + right);
      left = right;
    }
  }
  return pairs;
}
