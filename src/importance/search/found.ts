/** @file Results of a search: step by step, or generation by generation. */
import type { UnitJson } from '../../model/unit';
import type { Progress } from '../../task';
import type { SearchUnit } from '../types';

/** One step of a greedy search: the unit that it removed, and the perplexity of the rest. */
export interface SearchStep extends UnitJson {
  /** Perplexity on the calibration sequences after this step. */
  readonly perplexity: number;
}

/** A search's best after a generation. */
export interface EvolutionPoint {
  readonly generation: number;
  /** Mean KL(base ‖ pruned) of the best set in nats per predicted token, on the tokens of the last stage. */
  readonly kl: number;
  /** Candidates measured so far, over all stages. */
  readonly evaluations: number;
}

/** The state of an evolutionary search. */
export interface EvolutionState {
  /** The best set so far: what it removes. */
  readonly removed: readonly UnitJson[];
  /** One per generation; the first one, 0, is random. */
  readonly trace: readonly EvolutionPoint[];
}

/** The settings of an evolutionary search, in EvoPress's terms. */
export interface EvolutionChoice {
  readonly unit: SearchUnit;
  /** Units that a set removes. */
  readonly count: number;
  readonly generations: number;
  /** Sets that a generation tries. */
  readonly offspring: number;
  /** Sets that survive each stage of a generation; the last number is 1. */
  readonly survivors: readonly number[];
  /** Calibration tokens of each stage, in whole sequences. */
  readonly tokens: readonly number[];
  readonly seed: number;
}

export interface Evolution extends EvolutionState {
  readonly choice: EvolutionChoice;
  /** Perplexity of the found set on the calibration sequences. */
  readonly perplexity: number;
  /** How many times a sequence went through a sub-block, and how many times it would have with a separate forward pass per candidate. */
  readonly passes: { readonly made: number; readonly separate: number };
}

/** The best variant of a search under a budget after a generation. */
export interface BudgetPoint {
  readonly generation: number;
  /** On the calibration text. */
  readonly perplexity: number;
  /** As the latency table predicts it. */
  readonly msPerToken: number;
  readonly cacheBytes: number;
  readonly parameters: number;
  /** Variants measured so far. */
  readonly evaluations: number;
}

/** Progress of a search with its results so far: the page shows them, and keeps them if the search is cancelled. */
export interface SearchProgress extends Progress {
  /** Steps of a greedy search. */
  found?: readonly SearchStep[];
  /** The state of an evolutionary search. */
  evolution?: EvolutionState;
  /** The best so far of a search under a budget. */
  budget?: BudgetPoint;
}
