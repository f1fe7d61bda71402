/** @file The tokens that a number was computed from: enough to compute it again. */
import type { TextOrigin } from '../text/origin';

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
  /** Absent in numbers that earlier versions of the page kept. */
  readonly origin?: TextOrigin;
}

/** The tokens that a perplexity was measured on: enough to measure it again. */
export interface TextInfo {
  /** Name of the corpus, 'text' for given text, 'tokenIds' for given ids. */
  corpus: string;
  /** Windows, each scored on its own. */
  sequences: number;
  /** Length of the longest window. */
  seqLen: number;
  /** Hash of the token ids. */
  hash: string;
  /** Absent in numbers that earlier versions of the page kept. */
  origin?: TextOrigin;
}
