/** @file Which tokens a measurement or a training runs on. */

/** Which tokens to use. Without corpus, text or tokenIds: the built-in corpus. */
export interface CorpusRequest {
  /** A name of `lab.texts()`; a text of the Hub is fetched at its first use and stored. */
  corpus?: string;
  text?: string;
  /** Sequences [n][seqLen], each scored on its own. */
  tokenIds?: number[][];
  seqLen?: number;
  /**
   * With a corpus that has a protocol of the paper: the model's start token before every sequence, as Gemma needs it,
   * rather than once. A model whose tokenizer adds none to a text gets none.
   */
  addBosToEvery?: boolean;
  /** Address of another Hub, for a corpus that is not stored yet: for tests and mirrors. */
  hub?: string;
}
