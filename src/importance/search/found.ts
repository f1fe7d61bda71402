/** @file What a search finds: step by step, or generation by generation. */
import type { Progress } from '../../task';
import type { SearchUnit } from '../types';

/** A block, or one of its sub-blocks. */
export interface ModelUnit {
  /** Block of the whole model. */
  readonly layer: number;
  readonly part: 'block' | 'attention' | 'mlp';
}

/** One step of a greedy search: what it removed, and what remained. */
export interface SearchStep extends ModelUnit {
  /** Perplexity on the calibration windows after this step. */
  readonly perplexity: number;
}

/** A search's best after a generation. */
export interface EvolutionPoint {
  readonly generation: number;
  /** Mean KL(whole ‖ pruned) of the best set in nats per predicted token, on the tokens of the last stage. */
  readonly kl: number;
  /** Candidates measured so far, over all stages. */
  readonly evaluations: number;
}

/** What an evolutionary search has come to. */
export interface EvolutionState {
  /** The best set so far: what it removes. */
  readonly removed: readonly ModelUnit[];
  /** One per generation; the first one, 0, is random. */
  readonly trace: readonly EvolutionPoint[];
}

/** What an evolutionary search was asked, as EvoPress names it. */
export interface EvolutionChoice {
  readonly unit: SearchUnit;
  /** Units that a set removes. */
  readonly count: number;
  readonly generations: number;
  /** Sets that a generation tries. */
  readonly offspring: number;
  /** Sets that are left after each stage of a generation; ends with 1. */
  readonly survivors: readonly number[];
  /** Calibration tokens of each stage, in whole windows. */
  readonly tokens: readonly number[];
  readonly seed: number;
}

export interface Evolution extends EvolutionState {
  readonly choice: EvolutionChoice;
  /** Perplexity of the found set on the calibration windows. */
  readonly perplexity: number;
  /** Passes of a window through a sub-block: made, and what separate forward passes of all candidates would have taken. */
  readonly passes: { readonly made: number; readonly separate: number };
}

/** Progress of a search, with what it has found so far: it is worth showing, and worth keeping when the search is cancelled. */
export interface SearchProgress extends Progress {
  /** What a greedy search has removed, in its order. */
  found?: readonly SearchStep[];
  /** What an evolutionary search has come to. */
  evolution?: EvolutionState;
}
