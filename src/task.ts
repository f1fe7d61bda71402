/** @file What every long task takes: a way to cancel it and a way to hear how far it is. */

/** One progress report. `unit` is what `done` and `total` count: 'bytes', 'tokens', 'blocks', 'runs'. */
export interface Progress {
  stage: string;
  done: number;
  total: number;
  unit: string;
  /** What a search has removed so far, in its order: it is worth showing, and worth keeping when the search is cancelled. */
  found?: readonly SearchStep[];
}

/** One step of a greedy search: what it removed, and what remained. */
export interface SearchStep {
  /** Block of the whole model. */
  readonly layer: number;
  readonly part: 'block' | 'attention' | 'mlp';
  /** Perplexity on the calibration windows after this step. */
  readonly perplexity: number;
}

/** Options of every method that takes time. */
export interface TaskOptions {
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: Progress) => void) | undefined;
}
