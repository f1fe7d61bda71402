/** @file The rows of a training: tokens, and from which token on the loss counts. Rows may be split into those trained on and those held out. */
import { LabError } from '../errors';
import { createRandom, mixSeed, shuffled } from '../numerics/random';
import type { TokenSequences } from '../numerics/tokens';
import { hashSequences } from '../text/sequences';

export interface TrainingRow {
  readonly tokens: readonly number[];
  /** Index of the first token whose prediction counts in the loss: 1 for a text, that of the response for an instruction. */
  readonly firstTarget: number;
}

/** Sequences of a text as rows: every prediction counts. */
export function textRows(sequences: TokenSequences): TrainingRow[] {
  return sequences.map((tokens) => ({ tokens, firstTarget: 1 }));
}

/** Predictions that count in the loss. */
export function targetsOf(rows: readonly TrainingRow[]): number {
  return rows.reduce((sum, { tokens, firstTarget }) => sum + tokens.length - firstTarget, 0);
}

/**
 * Hash of rows: 16 hexadecimal digits. Rows of a text have the hash of their sequences; where some predictions do not count, the
 * hash covers their places too.
 */
export function hashRows(rows: readonly TrainingRow[]): string {
  const tokens = rows.map((row) => row.tokens);
  const isText = rows.every(({ firstTarget }) => firstTarget === 1);
  return hashSequences(isText ? tokens : [...tokens, rows.map(({ firstTarget }) => firstTarget)]);
}

export interface SplitRows {
  readonly train: readonly TrainingRow[];
  readonly heldOut: readonly TrainingRow[];
}

/**
 * Holds out a share of the rows, drawn by the seed; both parts keep the order of the rows. Rows of the same tokens go to the same
 * part, so that no row that is trained on is held out. At least one row is held out, and at least one is trained on.
 * @param fraction share of the rows to hold out, between 0 and 1
 * @throws LabError 'bad-argument' for another fraction, and for rows that are all alike
 */
export function splitRows(rows: readonly TrainingRow[], fraction: number, seed: number): SplitRows {
  if (!(fraction > 0 && fraction < 1)) {
    throw new LabError(
      'bad-argument',
      `heldOut: expected a share of the rows between 0 and 1, got ${fraction}.`,
      'Pass 0.1 to hold out a tenth of the rows.',
    );
  }
  const groups = new Map<string, number[]>();
  for (const [index, { tokens }] of rows.entries()) {
    const key = tokens.join(' ');
    const group = groups.get(key);
    if (group) group.push(index);
    else groups.set(key, [index]);
  }
  if (groups.size < 2) {
    throw new LabError(
      'bad-argument',
      `heldOut: expected at least two different rows to split, got ${groups.size}.`,
      'Use a longer text, a smaller seqLen, or another text as evaluation.',
    );
  }
  const order = shuffled(createRandom(mixSeed(seed, splitStream)), [...groups.values()]);
  const wanted = Math.max(1, Math.round(fraction * rows.length));
  const held = new Set<number>();
  for (const group of order.slice(0, -1)) {
    if (held.size >= wanted) break;
    for (const index of group) held.add(index);
  }
  return {
    train: rows.filter((_, index) => !held.has(index)),
    heldOut: rows.filter((_, index) => held.has(index)),
  };
}

/** Keeps the draw of the split apart from that of the rows' order. */
const splitStream = 0x5911;
