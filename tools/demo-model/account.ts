/** @file From stories to token ids, and the account of surprise per token that makes the floor of a sequence exact. */

import type { Tokenizer } from '@huggingface/tokenizers';
import type { Story } from '../../src/text/stories/index';
import { wordsOf } from './bpe';

/** `<s>`, which stands before each story. */
export const BOS = 0;

export type Encode = (text: string) => number[];

/** Token ids of a corpus `<s>` story `<s>` story …, and the surprise of each token in nats. */
export interface Scored {
  ids: number[];
  nats: number[];
}

/** Encodes word by word with a memory: the stories have a thousand distinct words, the training text has millions. */
export function createEncoder(tokenizer: Tokenizer): Encode {
  const known = new Map<string, number[]>();
  return (text) =>
    wordsOf(text).flatMap((word) => {
      let ids = known.get(word);
      if (!ids) {
        ids = tokenizer.encode(word, { add_special_tokens: false }).ids;
        known.set(word, ids);
      }
      return ids;
    });
}

/** Ids and surprise of stories in a row. The surprise of a story's end is paid by the `<s>` that follows it. */
export function scoreStories(stories: Iterable<Story>, encode: Encode, tokenizer: Tokenizer): Scored {
  const scored: Scored = { ids: [], nats: [] };
  let ending = 0;
  for (const story of stories) {
    const ids = encode(story.text);
    const account = tokenNats(story, ids, tokenizer);
    scored.ids.push(BOS, ...ids);
    scored.nats.push(ending, ...account.nats);
    ending = account.ending;
  }
  return scored;
}

/** The surprise of each token of a story: a piece's surprise goes to the token that holds its first character. */
export function tokenNats(story: Story, ids: number[], tokenizer: Tokenizer): { nats: number[]; ending: number } {
  const ends = tokenEnds(ids, tokenizer);
  const nats = ids.map(() => 0);
  let token = 0;
  let at = 0;
  let ending = 0;
  for (const piece of story.pieces) {
    if (piece.text === '') {
      ending = piece.nats;
      continue;
    }
    while (at >= (ends[token] as number)) token++;
    nats[token] = (nats[token] as number) + piece.nats;
    at += piece.text.length;
  }
  return { nats, ending };
}

/** Where each token ends in the text; the stories are ASCII, so a byte is a character. */
function tokenEnds(ids: number[], tokenizer: Tokenizer): number[] {
  let end = 0;
  return ids.map((id) => {
    end += tokenizer.decode([id], { skip_special_tokens: false }).length;
    return end;
  });
}
