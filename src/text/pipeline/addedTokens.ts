/** @file Tokens beside the model's: found in a text before anything else, as tokenizers 0.23 (Rust) finds them. */
import { isWhiteSpace, wordClass } from './characters';
import type { Vocabulary } from './models/model';
import type { Normalize } from './normalizers';
import type { NewToken } from './schema';

export interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly single_word: boolean;
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  readonly normalized: boolean;
  readonly special: boolean;
}

/** Part of a text: a stretch of it, or a token. */
export type Part = { readonly text: string; readonly start: number } | { readonly token: AddedToken };

const startsWithWord = new RegExp(`^${wordClass}`, 'u');
const endsWithWord = new RegExp(`${wordClass}$`, 'u');

export class AddedTokens {
  readonly #vocabulary: Vocabulary;
  readonly #byContent = new Map<string, AddedToken>();
  readonly #byId = new Map<number, AddedToken>();

  constructor(vocabulary: Vocabulary) {
    this.#vocabulary = vocabulary;
  }

  /**
   * Adds tokens, or changes how those that are there are found. A token's id is the vocabulary's, else the next free one:
   * what a file says besides is not heard, as in tokenizers.
   */
  add(tokens: readonly NewToken[]): void {
    for (const token of tokens) {
      if (token.content === '') continue;
      const id = this.#idOf(token.content);
      const added: AddedToken = { ...token, normalized: token.normalized ?? !token.special, id };
      this.#byContent.set(token.content, added);
      this.#byId.set(id, added);
    }
  }

  #idOf(content: string): number {
    const known = this.idOf(content);
    if (known !== undefined) return known;
    const count = this.#vocabulary.count;
    let largest = -1;
    for (const id of this.#byId.keys()) largest = Math.max(largest, id);
    return largest >= count ? largest + 1 : count;
  }

  /** A token's id, the model's tokens included. */
  idOf(content: string): number | undefined {
    return this.#byContent.get(content)?.id ?? this.#vocabulary.ids.get(content);
  }

  byId(id: number): AddedToken | undefined {
    return this.#byId.get(id);
  }

  isSpecial(content: string): boolean {
    return this.#byContent.get(content)?.special ?? false;
  }

  has(content: string): boolean {
    return this.#byContent.has(content);
  }

  all(): AddedToken[] {
    return [...this.#byContent.values()];
  }
}

/** Finds tokens in texts: those that are looked for before normalization, and those that are after. */
export class TokenFinder {
  readonly #raw: Search;
  readonly #normalized: Search;

  constructor(tokens: readonly AddedToken[], normalize: Normalize) {
    this.#raw = new Search(tokens.filter(({ normalized }) => !normalized).map((token) => [token.content, token]));
    this.#normalized = new Search(
      tokens.filter(({ normalized }) => normalized).map((token) => [normalize(token.content).text, token]),
    );
  }

  inRaw(text: string): Part[] {
    return this.#raw.parts(text);
  }

  inNormalized(text: string): Part[] {
    return this.#normalized.parts(text);
  }
}

interface Node {
  readonly children: Map<number, Node>;
  token: AddedToken | null;
}

/** The leftmost match, of several that start there the longest. */
class Search {
  readonly #root: Node = { children: new Map(), token: null };

  constructor(patterns: readonly (readonly [string, AddedToken])[]) {
    for (const [pattern, token] of patterns) {
      if (pattern === '') continue;
      let node = this.#root;
      for (let at = 0; at < pattern.length; at += 1) {
        const unit = pattern.charCodeAt(at);
        let child = node.children.get(unit);
        if (!child) {
          child = { children: new Map(), token: null };
          node.children.set(unit, child);
        }
        node = child;
      }
      node.token ??= token;
    }
  }

  #matchAt(text: string, at: number): { token: AddedToken; end: number } | null {
    let node: Node | undefined = this.#root;
    let found: { token: AddedToken; end: number } | null = null;
    for (let end = at; end < text.length; ) {
      node = node.children.get(text.charCodeAt(end));
      if (!node) break;
      end += 1;
      if (node.token) found = { token: node.token, end };
    }
    return found;
  }

  parts(text: string): Part[] {
    if (text === '') return [];
    if (this.#root.children.size === 0) return [{ text, start: 0 }];
    const parts: Part[] = [];
    let done = 0;
    for (let at = 0; at < text.length; ) {
      const match = this.#matchAt(text, at);
      if (!match) {
        at += 1;
        continue;
      }
      const { token } = match;
      let [start, end] = [at, match.end];
      at = match.end;
      if (token.single_word && !standsAlone(text, start, end)) continue;
      if (token.lstrip) {
        while (start > done && isWhiteSpace(text[start - 1]!)) start -= 1;
      }
      if (token.rstrip) {
        while (end < text.length && isWhiteSpace(text[end]!)) end += 1;
      }
      if (start > done) parts.push({ text: text.slice(done, start), start: done });
      parts.push({ token });
      done = end;
    }
    if (done < text.length) parts.push({ text: text.slice(done), start: done });
    return parts;
  }
}

/** Whether no letter or digit stands beside a stretch of a text. */
function standsAlone(text: string, start: number, end: number): boolean {
  // The last character may take two units.
  return (
    !endsWithWord.test(text.slice(Math.max(0, start - 2), start)) && !startsWithWord.test(text.slice(end, end + 2))
  );
}
