/** @file What every long task takes: a way to cancel it and a way to hear how far it is. */

/** One progress report. `unit` is what `done` and `total` count: 'bytes', 'tokens', 'blocks', 'runs'. */
export interface Progress {
  stage: string;
  done: number;
  total: number;
  unit: string;
}

/** Options of every method that takes time. */
export interface TaskOptions {
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: Progress) => void) | undefined;
}
