/**
 * @file The paper's two protocols (Shortened LLaMA): which tokens of a text of documents a number is computed from.
 *
 * Calibration ('rows'): rows with at least seqLen tokens are drawn without repeats, and a random crop of seqLen tokens
 * is taken from each. The model's special tokens are added before the crop, so that a start token survives only in a
 * crop that begins at 0; or, with `startEvery`, none are, and each crop gives its last token for a start token in
 * front.
 *
 * Evaluation ('joined'): documents are joined with an empty line between and tokenised once without special tokens; one
 * start token stands before all, or before each sequence with `startEvery`; sequences of seqLen do not overlap, and
 * what is left at the end is dropped.
 *
 * A start token is the model's own: where its tokenizer adds none to a text, there is none here.
 */
import { LabError } from '../errors';
import { createRandom, randomInt } from '../numerics/random';
import type { TaskOptions } from '../task';
import type { StartTokens } from './origin';
import type { Tokenizer } from './tokenizer';

export interface Made {
  readonly sequences: number[][];
  readonly start: StartTokens;
}

export interface RowsRequest {
  readonly samples: number;
  readonly seqLen: number;
  readonly seed: number;
  readonly startEvery: boolean;
}

/** No character gives more tokens than this: a byte each, of at most three for a UTF-16 unit. */
const tokensPerUnit = 3;
const specialTokens = 8;

/**
 * Sequences [samples][seqLen] of rows drawn by chance. Drawing until a row is new and long enough, as the paper's code does,
 * is the same as walking a random order of the rows.
 * @param documents as the source has them, in its order
 * @throws LabError 'bad-argument' where too few rows are long enough
 */
export async function rowSequences(
  tokenizer: Tokenizer,
  documents: readonly string[],
  request: RowsRequest,
  { signal }: TaskOptions = {},
): Promise<Made> {
  const { samples, seqLen, seed, startEvery } = request;
  const random = createRandom(seed);
  const order = documents.map((_, index) => index);
  const sequences: number[][] = [];
  for (let last = order.length - 1; last >= 0 && sequences.length < samples; last--) {
    const drawn = randomInt(random, last + 1);
    const index = order[drawn]!;
    order[drawn] = order[last]!;
    const text = documents[index]!;
    if (text.length * tokensPerUnit + specialTokens < seqLen) continue;
    const ids = await tokenizer.encode(text, { specialTokens: !startEvery, signal });
    if (ids.length < seqLen) continue;
    const at = randomInt(random, ids.length - seqLen + 1);
    sequences.push(ids.slice(at, at + seqLen));
  }
  if (sequences.length < samples) {
    throw new LabError(
      'bad-argument',
      `The text has ${sequences.length} rows of at least ${seqLen} tokens (of ${documents.length} rows), expected ${samples}.`,
      'Use fewer samples, a smaller seqLen, or a text with longer rows.',
    );
  }
  if (!tokenizer.addsBos) return { sequences, start: 'none' };
  if (!startEvery) return { sequences, start: 'row' };
  return { sequences: sequences.map((sequence) => [tokenizer.bosId!, ...sequence.slice(0, -1)]), start: 'every' };
}

/** All documents as one text, tokenised once without special tokens: what `joinedWindows` cuts. It takes seconds per MB. */
export async function joinedTokens(
  tokenizer: Tokenizer,
  documents: readonly string[],
  task: TaskOptions = {},
): Promise<number[]> {
  return tokenizer.encode(documents.join('\n\n'), task);
}

/**
 * Sequences of joined tokens in order, [n][seqLen], or [n][seqLen + 1] with a start token before every one.
 * @throws LabError 'bad-argument' where there is not one whole sequence
 */
export function joinedSequences(
  { bosId, addsBos }: Pick<Tokenizer, 'bosId' | 'addsBos'>,
  ids: readonly number[],
  { seqLen, startEvery }: { readonly seqLen: number; readonly startEvery: boolean },
): Made {
  const lead = addsBos ? [bosId!] : [];
  const stream = startEvery ? ids : [...lead, ...ids];
  const sequences: number[][] = [];
  for (let begin = 0; begin + seqLen <= stream.length; begin += seqLen) {
    const sequence = stream.slice(begin, begin + seqLen);
    sequences.push(startEvery ? [...lead, ...sequence] : sequence);
  }
  if (sequences.length === 0) {
    throw new LabError(
      'bad-argument',
      `The text gives ${stream.length} tokens, expected at least one sequence of ${seqLen}.`,
      'Use a longer text or a smaller seqLen.',
    );
  }
  return { sequences, start: !addsBos ? 'none' : startEvery ? 'every' : 'first' };
}
