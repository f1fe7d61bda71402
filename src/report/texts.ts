/** @file The tokens that a number was computed from: enough to compute it again. */
import { object, oneOf, orNull, type Schema, text } from '../io/schema';
import type { Protocol, StartTokens, TextOrigin } from '../text/origin';
import { count, most, name, renamed } from './fields';

/** What a number was computed from: enough to compute it again. */
export interface CalibrationInfo {
  /** Name of the corpus, 'text' for given text, 'tokenIds' for given ids. */
  readonly corpus: string;
  readonly samples: number;
  readonly seqLen: number;
  readonly seed: number;
  /** samples · seqLen. */
  readonly tokens: number;
  /** Hash of the token ids used. */
  readonly hash: string;
  /** Absent in numbers of the first versions. */
  readonly origin?: TextOrigin;
}

/** The tokens that a perplexity was measured on: enough to measure it again. */
export interface TextInfo {
  /** Name of the corpus, 'text' for given text, 'tokenIds' for given ids. */
  corpus: string;
  /** Sequences, each scored on its own. */
  sequences: number;
  /** Length of the longest sequence. */
  seqLen: number;
  /** Hash of the token ids. */
  hash: string;
  /** Absent in numbers of the first versions. */
  origin?: TextOrigin;
}

const protocols = ['given', 'stories', 'running text', 'rows', 'joined'] as const satisfies readonly Protocol[];
const starts = ['none', 'first', 'row', 'every'] as const satisfies readonly StartTokens[];

const textOrigin: Schema<TextOrigin> = object({
  source: text(most.source),
  protocol: oneOf(protocols),
  start: oneOf(starts),
  documents: count,
  contentHash: name,
  available: orNull(count),
});

export const calibrationInfo: Schema<CalibrationInfo> = object(
  { corpus: name, samples: count, seqLen: count, seed: count, tokens: count, hash: name },
  { origin: textOrigin },
);

/** Earlier versions wrote `windows` for `sequences`. */
export const textInfo: Schema<TextInfo> = renamed(
  'windows',
  'sequences',
  object({ corpus: name, sequences: count, seqLen: count, hash: name }, { origin: textOrigin }),
);
