/**
 * @file Scores of tokens that make llama.cpp's 'llama' tokenizer merge as a list of merges says. That tokenizer merges the two
 * neighbours whose token has the best score, whichever two they are: the list must hold every pair that makes a token, and all
 * pairs of a token next to each other. Lists made from a sentencepiece model do.
 */

/**
 * The score of each token that merges make: minus the place of its first merge.
 * @param isPiece whether a token of the vocabulary may come from merges
 * @returns scores by token, or why no scores do what the list says
 */
export function mergeScores(
  merges: readonly (readonly [string, string])[],
  vocabulary: ReadonlyMap<string, number>,
  isPiece: (token: string) => boolean,
): Map<string, number> | string {
  const scores = new Map<string, number>();
  const pairs = new Map<string, number>();
  let last = '';
  for (const [place, [left, right]] of merges.entries()) {
    const token = left + right;
    if (token !== last && scores.has(token)) {
      return `its merges make '${token.slice(0, 40)}' at two places of their list, which no scores can say`;
    }
    last = token;
    if (!scores.has(token)) scores.set(token, -place - 1);
    pairs.set(token, (pairs.get(token) ?? 0) + 1);
  }
  for (const token of vocabulary.keys()) {
    if (!isPiece(token)) continue;
    const ways = waysToMake(token, vocabulary);
    if (ways.length > (pairs.get(token) ?? 0)) {
      const [left, right] = ways[0]!;
      return `no merge makes '${token.slice(0, 40)}' of some two tokens, such as '${left.slice(0, 40)}' and '${right.slice(0, 40)}', which scores would merge`;
    }
  }
  return scores;
}

/** Every two tokens that a token consists of. */
function waysToMake(token: string, vocabulary: ReadonlyMap<string, number>): (readonly [string, string])[] {
  const ways: (readonly [string, string])[] = [];
  let at = 0;
  for (const character of token) {
    if (at > 0 && vocabulary.has(token.slice(0, at)) && vocabulary.has(token.slice(at))) {
      ways.push([token.slice(0, at), token.slice(at)]);
    }
    at += character.length;
  }
  return ways;
}
