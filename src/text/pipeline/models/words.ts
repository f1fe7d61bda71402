/** @file The models WordPiece and WordLevel of tokenizer.json, as tokenizers 0.23 (Rust) computes them. */
import type * as v from 'valibot';
import { badTokenizer } from '../bounds';
import type { wordLevel, wordPiece } from '../schema';
import { type Model, vocabularyOf } from './model';

function unknownOf(ids: ReadonlyMap<string, number>, token: string): () => number {
  return () => {
    const id = ids.get(token);
    if (id !== undefined) return id;
    throw badTokenizer(
      `tokenizer.json has no token for a piece of the text, nor its unk_token '${token.slice(0, 60)}'`,
      'Use another text, or a tokenizer that covers all bytes.',
    );
  };
}

/** The longest token that begins the rest of the word, again and again; a word with a gap is unknown as a whole. */
export function wordPieceModel(json: v.InferOutput<typeof wordPiece>): Model {
  const vocabulary = vocabularyOf(json.vocab);
  const { ids } = vocabulary;
  const unknown = unknownOf(ids, json.unk_token);
  const longest = [...ids.keys()].reduce((most, token) => Math.max(most, token.length), 0);
  return {
    type: 'WordPiece',
    vocabulary,
    unknownId: ids.get(json.unk_token) ?? null,
    encode(piece, out, beat) {
      beat();
      const characters = [...piece];
      if (characters.length > json.max_input_chars_per_word) {
        out.push(unknown());
        return;
      }
      const found: number[] = [];
      for (let start = 0; start < characters.length; ) {
        let end = Math.min(characters.length, start + longest);
        let id: number | undefined;
        for (; end > start; end -= 1) {
          const part = characters.slice(start, end).join('');
          id = ids.get(start > 0 ? json.continuing_subword_prefix + part : part);
          if (id !== undefined) break;
        }
        if (id === undefined) {
          out.push(unknown());
          return;
        }
        found.push(id);
        start = end;
      }
      for (const id of found) out.push(id);
    },
  };
}

export function wordLevelModel(json: v.InferOutput<typeof wordLevel>): Model {
  const vocabulary = vocabularyOf(json.vocab);
  const { ids } = vocabulary;
  const unknown = unknownOf(ids, json.unk_token);
  return {
    type: 'WordLevel',
    vocabulary,
    unknownId: ids.get(json.unk_token) ?? null,
    encode(piece, out) {
      out.push(ids.get(piece) ?? unknown());
    },
  };
}
