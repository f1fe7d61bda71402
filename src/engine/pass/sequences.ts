/** @file Sequences of tokens as batches: sorted by length and padded, so that one launch serves many. */

import { LabError } from '../../errors';
import type { TokenSequences } from '../../numerics/tokens';

/** Sequences of one padded length. The padding follows each sequence, so causality keeps it from changing any token. */
export interface Batch {
  /** Which sequences these are, as indices of the call's list. */
  readonly sequences: readonly number[];
  /** Length of each sequence without padding. */
  readonly lengths: readonly number[];
  readonly seqLen: number;
  /** Token ids [sequences.length, seqLen]; padding is 0. */
  readonly tokens: Uint32Array<ArrayBuffer>;
  /** The token that follows each row [sequences.length, seqLen]; 0 if none does: that row's loss is not read. */
  readonly targets: Uint32Array<ArrayBuffer>;
}

/** Refuses sequences that are not lists of token ids. */
export function checkSequences(sequences: TokenSequences, vocab: number): void {
  const refuse = (message: string): never => {
    throw new LabError('bad-argument', message, 'Give sequences of token ids from this model’s own tokenizer.');
  };
  if (sequences.length === 0) refuse('sequences: expected at least one, got none.');
  sequences.forEach((sequence, index) => {
    if (sequence.length === 0) refuse(`sequence ${index}: expected at least one token, got none.`);
    const at = sequence.findIndex((token) => !(Number.isInteger(token) && token >= 0 && token < vocab));
    if (at >= 0) refuse(`sequence ${index}, token ${at}: expected an integer in [0, ${vocab}), got ${sequence[at]}.`);
  });
}

/**
 * Rows of the batch whose losses count: not those after a sequence's last token nor those of padding, nor those before a sequence's
 * first target (by sequence of the call's list, at least 1; 1 without a list).
 */
export function* countedRows(
  { sequences, lengths, seqLen }: Pick<Batch, 'sequences' | 'lengths' | 'seqLen'>,
  firstTargets?: readonly number[],
): Generator<number> {
  for (const [index, length] of lengths.entries()) {
    const start = (firstTargets?.[sequences[index]!] ?? 1) - 1;
    for (let row = start; row < length - 1; row++) yield index * seqLen + row;
  }
}

/** How many tokens have a predecessor, and so a loss. */
export function predictedTokens(sequences: TokenSequences): number {
  return sequences.reduce((sum, sequence) => sum + sequence.length - 1, 0);
}

/**
 * Batches of at most `maxRows` rows (one sequence at least) and `together` sequences, in which padding is at most a quarter of a row's length. Long
 * sequences come first, unless they are to stay `inOrder`; those of one length keep their order.
 */
export function makeBatches(
  sequences: TokenSequences,
  maxRows: number,
  inOrder = false,
  together = Number.POSITIVE_INFINITY,
): Batch[] {
  const order = sequences.map((_, index) => index);
  if (!inOrder) order.sort((a, b) => sequences[b]!.length - sequences[a]!.length || a - b);
  const batches: Batch[] = [];
  for (let first = 0; first < order.length; ) {
    const seqLen = sequences[order[first]!]!.length;
    const most = first + Math.max(1, Math.min(together, Math.floor(maxRows / seqLen)));
    let end = first + 1;
    const fits = ({ length }: readonly number[]) => length >= seqLen * 0.75 && length <= seqLen;
    while (end < Math.min(most, order.length) && fits(sequences[order[end]!]!)) end++;
    batches.push(pad(sequences, order.slice(first, end), seqLen));
    first = end;
  }
  return batches;
}

function pad(sequences: TokenSequences, chosen: readonly number[], seqLen: number): Batch {
  const tokens = new Uint32Array(chosen.length * seqLen);
  const targets = new Uint32Array(chosen.length * seqLen);
  chosen.forEach((index, row) => {
    const sequence = sequences[index]!;
    tokens.set(sequence, row * seqLen);
    targets.set(sequence.slice(1), row * seqLen);
  });
  return { sequences: chosen, lengths: chosen.map((index) => sequences[index]!.length), seqLen, tokens, targets };
}
