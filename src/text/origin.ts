/** @file Where the tokens of a number come from: everything that a report needs to reproduce them. */

/**
 * How sequences were made of a text. 'given': sequences of ids as they came. 'stories': the demo's (corpus.ts).
 * 'running text': tokenised once without special tokens and cut. 'rows' and 'joined': the paper's, for calibration and
 * for evaluation (protocols.ts).
 */
export type Protocol = 'given' | 'stories' | 'running text' | 'rows' | 'joined';

/** Start tokens: none; before the first token of the text; of each row, before its crop; before every sequence. */
export type StartTokens = 'none' | 'first' | 'row' | 'every';

export interface TextOrigin {
  /** 'hf:owner/name@commit/file', a file's name, 'pasted text', 'built-in', 'given'. */
  readonly source: string;
  readonly protocol: Protocol;
  readonly start: StartTokens;
  /** Documents of the text, and the hash of them all. */
  readonly documents: number;
  readonly contentHash: string;
  /** Sequences that the whole text gives; null where they are drawn by chance. */
  readonly available: number | null;
}
