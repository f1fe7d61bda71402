/**
 * @file The model Unigram of tokenizer.json: the most likely way to write a piece in tokens, as tokenizers 0.23 (Rust)
 * finds it. One pass over the piece with what it needs in flat arrays: time is linear, and nothing grows on the stack.
 */
import * as v from 'valibot';
import { badTokenizer } from '../bounds';
import type { unigram } from '../schema';
import { addBytes, byteIds, type Model, Vocabulary } from './model';

/** How much less likely than the least likely token an unknown character is, in nats. */
const unknownPenalty = 10;
/** Characters between two signs of life. */
const beatEvery = 2 ** 14;
const entry = v.tuple([v.string(), v.number()]);

/** Throws 'bad-tokenizer'. */
export function unigramModel(json: v.InferOutput<typeof unigram>): Model {
  if (json.vocab.length === 0) throw badTokenizer('tokenizer.json: model.vocab: expected tokens, got none');
  if (json.unk_id !== null && json.unk_id >= json.vocab.length) {
    throw badTokenizer(`tokenizer.json: model.unk_id: expected an id of the vocabulary, got ${json.unk_id}`);
  }
  const ids = new Map<string, number>();
  const scores = new Float64Array(json.vocab.length);
  const tokens: string[] = [];
  let least = Number.POSITIVE_INFINITY;
  for (const [id, given] of json.vocab.entries()) {
    if (!v.is(entry, given) || !Number.isFinite(given[1])) {
      const got = String(JSON.stringify(given)).slice(0, 60);
      throw badTokenizer(`tokenizer.json: model.vocab[${id}]: expected a token and its score, got ${got}`);
    }
    ids.set(given[0], id);
    tokens.push(given[0]);
    scores[id] = given[1];
    least = Math.min(least, given[1]);
  }
  const unknownId = json.unk_id;
  const unknownScore = least - unknownPenalty;
  const trie = trieOf(ids);
  const bytes = json.byte_fallback ? byteIds(ids) : null;
  const missing = (): Error =>
    badTokenizer(
      'tokenizer.json has no token for a piece of the text and no unk_id',
      'Use another text, or a tokenizer that covers all bytes.',
    );

  return {
    type: 'Unigram',
    vocabulary: new ListVocabulary(ids, tokens),
    unknownId,
    encode(piece, out, beat) {
      const size = piece.length;
      /** Of the best way to write the piece up to here: its score, where its last token starts (−1: none) and which it is. */
      const best = new Float64Array(size + 1);
      const from = new Int32Array(size + 1).fill(-1);
      const last = new Int32Array(size + 1);
      for (let at = 0, step = 0; at < size; step += 1) {
        if (step % beatEvery === 0) beat();
        const before = best[at]!;
        const width = piece.codePointAt(at)! > 0xffff ? 2 : 1;
        let single = false;
        const offer = (end: number, id: number, score: number): void => {
          if (from[end] !== -1 && !(score > best[end]!)) return;
          best[end] = score;
          from[end] = at;
          last[end] = id;
        };
        for (let node = 0, end = at; end < size; ) {
          const child = trie.children.get(node * 2 ** 16 + piece.charCodeAt(end));
          if (child === undefined) break;
          end += 1;
          node = child;
          const id = trie.ids[node]!;
          if (id === -1) continue;
          offer(end, id, scores[id]! + before);
          if (end - at === width) single = true;
        }
        if (!single) {
          if (unknownId === null) throw missing();
          offer(at + width, unknownId, unknownScore + before);
        }
        at += width;
      }
      write(piece, from, last, out);
    },
  };

  /** The tokens of the best way, unknown neighbours as one. */
  function write(piece: string, from: Int32Array, last: Int32Array, out: number[]): void {
    const ends: number[] = [];
    for (let end = piece.length; end > 0; end = from[end]!) ends.push(end);
    ends.reverse();
    let start = 0;
    for (let index = 0; index < ends.length; index += 1) {
      let end = ends[index]!;
      const unknown = unknownId !== null && last[end] === unknownId;
      while (unknown && index + 1 < ends.length && last[ends[index + 1]!] === unknownId) {
        index += 1;
        end = ends[index]!;
      }
      const text = piece.slice(start, end);
      const id = ids.get(text);
      if (id !== undefined) out.push(id);
      else if (!(bytes && addBytes(text, bytes, out))) {
        if (unknownId === null) throw missing();
        out.push(unknownId);
      }
      start = end;
    }
  }
}

/** A vocabulary whose ids are the places of a list, in which a token may stand twice. */
class ListVocabulary extends Vocabulary {
  readonly #list: readonly string[];

  constructor(ids: ReadonlyMap<string, number>, list: readonly string[]) {
    super(ids);
    this.#list = list;
  }

  override get count(): number {
    return this.#list.length;
  }

  override tokenOf(id: number): string | undefined {
    return this.#list[id];
  }
}

interface Trie {
  /** Node · 2^16 + UTF-16 unit → node; the root is 0. */
  readonly children: Map<number, number>;
  /** Id of the token that ends at a node; −1 where none does. */
  readonly ids: readonly number[];
}

function trieOf(tokens: ReadonlyMap<string, number>): Trie {
  const children = new Map<number, number>();
  const ids = [-1];
  for (const [token, id] of tokens) {
    let node = 0;
    for (let at = 0; at < token.length; at += 1) {
      const key = node * 2 ** 16 + token.charCodeAt(at);
      let child = children.get(key);
      if (child === undefined) {
        child = ids.length;
        children.set(key, child);
        ids.push(-1);
      }
      node = child;
    }
    if (node !== 0) ids[node] = id;
  }
  return { children, ids };
}
