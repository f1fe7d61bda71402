/** @file What the four kinds of model have in common: a vocabulary, and the ids of a piece. */
import * as v from 'valibot';
import { badTokenizer } from '../bounds';
import { tokenId } from '../schema';

export interface Model {
  readonly type: 'BPE' | 'Unigram' | 'WordPiece' | 'WordLevel';
  readonly vocabulary: Vocabulary;
  /** The id of what no other token covers; null where there is none. */
  readonly unknownId: number | null;
  /** Adds the ids of a piece, which is not empty. `beat` says that the work goes on; it may throw to end it. */
  encode(piece: string, ids: number[], beat: () => void): void;
}

export class Vocabulary {
  readonly ids: ReadonlyMap<string, number>;
  readonly #tokens = new Map<number, string>();
  /** Largest id; −1 where there is none. */
  readonly largest: number;

  constructor(ids: ReadonlyMap<string, number>) {
    this.ids = ids;
    let largest = -1;
    for (const [token, id] of ids) {
      this.#tokens.set(id, token);
      largest = Math.max(largest, id);
    }
    this.largest = largest;
  }

  /** Of tokens; ids may have holes. */
  get count(): number {
    return this.ids.size;
  }

  tokenOf(id: number): string | undefined {
    return this.#tokens.get(id);
  }
}

/** An object of tokens and ids. Throws 'bad-tokenizer' for ids that are none. */
export function vocabularyOf(json: Record<string, unknown>): Vocabulary {
  const ids = new Map<string, number>();
  for (const [token, id] of Object.entries(json)) {
    if (!v.is(tokenId, id)) {
      const got = String(JSON.stringify(id)).slice(0, 60);
      throw badTokenizer(`tokenizer.json: id of token '${token.slice(0, 60)}': expected a whole number, got ${got}`);
    }
    ids.set(token, id);
  }
  return new Vocabulary(ids);
}

/** The ids of all 256 bytes as sentencepiece writes them, <0x0A>; undefined for those that are missing. */
export function byteIds(ids: ReadonlyMap<string, number>): readonly (number | undefined)[] {
  return Array.from({ length: 256 }, (_, byte) => ids.get(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`));
}

/** Adds the ids of a text's bytes; false, and nothing added, where one has none. */
export function addBytes(text: string, bytes: readonly (number | undefined)[], ids: number[]): boolean {
  const found: number[] = [];
  for (const byte of encoder.encode(text)) {
    const id = bytes[byte];
    if (id === undefined) return false;
    found.push(id);
  }
  for (const id of found) ids.push(id);
  return true;
}

const encoder = new TextEncoder();
