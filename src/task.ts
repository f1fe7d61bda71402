/** @file What every long task takes: a way to cancel it and a way to hear how far it is. */

/** One progress report. `unit` is what `done` and `total` count: 'bytes', 'tokens', 'blocks', 'runs'. */
export interface Progress {
  stage: string;
  done: number;
  total: number;
  unit: string;
  /** What a search has removed so far, in its order: it is worth showing, and worth keeping when the search is cancelled. */
  found?: readonly SearchStep[];
  /** The same of an evolutionary search. */
  evolution?: EvolutionState;
  /** What a text that is being written has come to, without its prompt. */
  text?: string;
}

/** A block, or one of its sub-blocks. */
export interface ModelUnit {
  /** Block of the whole model. */
  readonly layer: number;
  readonly part: 'block' | 'attention' | 'mlp';
}

/** What an evolutionary search has come to. */
export interface EvolutionState {
  /** The best set so far: what it removes. */
  readonly removed: readonly ModelUnit[];
  /** One per generation; the first one, 0, is random. */
  readonly trace: readonly EvolutionPoint[];
}

/** A search's best after a generation. */
export interface EvolutionPoint {
  readonly generation: number;
  /** Mean KL(whole ‖ pruned) of the best set in nats per predicted token, on the tokens of the last stage. */
  readonly kl: number;
  /** Candidates measured so far, over all stages. */
  readonly evaluations: number;
}

/** One step of a greedy search: what it removed, and what remained. */
export interface SearchStep extends ModelUnit {
  /** Perplexity on the calibration windows after this step. */
  readonly perplexity: number;
}

/** Options of every method that takes time. */
export interface TaskOptions {
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: Progress) => void) | undefined;
}

/** How long a thread may compute without hearing messages: a signal fires in one. */
const breathMs = 50;
let lastBreath = performance.now();

/**
 * Call between the steps of work that never waits for anything outside the thread, as ONNX Runtime's on the CPU: lets
 * messages in when none could come for a while. Look at the signal behind it.
 */
export async function breathe(): Promise<void> {
  if (performance.now() - lastBreath < breathMs) return;
  await new Promise((resolve) => setTimeout(resolve));
  lastBreath = performance.now();
}
