/** @file What a criterion answers. Every score reads the same way: low = remove first. */

import type { EvolutionState, SearchStep } from '../task';
import type { TextOrigin } from '../text/origin';

export type Criterion =
  | 'magnitude'
  | 'taylor'
  | 'ppl'
  | 'block-influence'
  | 'angular'
  | 'sleb'
  | 'block-pruner'
  | 'evopress'
  | 'random';

export type Unit = 'block' | 'attention' | 'mlp';

/** What an evolutionary search removes; 'half': attentions and MLPs, whichever. */
export type SearchUnit = Unit | 'half';

/** Blocks at either end that a search never removes. Of greedy searches: of those that remain at each step. */
export interface Barriers {
  readonly first: number;
  readonly last: number;
}

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

/** Which adapter and runtime produced a number. */
export interface DeviceLabel {
  /** e.g. 'google swiftshader' or 'apple m2'; 'CPU' for what ran without a GPU. */
  readonly adapter: string;
  /** A software adapter proves correctness, not speed. */
  readonly software: boolean;
  /** e.g. 'WGSL engine', 'onnxruntime-web 1.30.0 wasm'. */
  readonly runtime: string;
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

export type WidthMethod = 'wanda-sp' | 'flap' | 'llm-pruner' | 'magnitude-sp' | 'random';

/** 'kvGroup': a key/value head with all query heads that read it. */
export type HeadUnit = 'head' | 'kvGroup';

/** How much every head and neuron of the whole model matters, by layer; an empty list for a sub-block that is not there. */
export interface WidthScores {
  readonly method: WidthMethod;
  /** Of each layer a score per query head, or by 'llm-pruner' per key/value head. */
  readonly heads: number[][];
  /** Of each layer a score per MLP neuron. */
  readonly neurons: number[][];
  readonly headUnit: HeadUnit;
  readonly calibration: CalibrationInfo;
  readonly milliseconds: number;
  readonly peakGpuBytes: number;
  readonly device: DeviceLabel;
}

export interface Scores {
  readonly criterion: Criterion;
  /** Of 'block-pruner' 'block', although it counts halves. */
  readonly unit: SearchUnit;
  /**
   * One per block; for 'angular' with window n one per start, that is layers − n + 1. Of a search: the number of the
   * step that removed the unit; 'block-pruner' and the unit 'half' count halves (attention of block l is 2 l, its MLP
   * 2 l + 1). Of 'evopress': 0 for the units of the set that it found, 1 for those that stay.
   */
  readonly scores: number[];
  /**
   * Unit indices, the one to remove first in front; protected ones are absent. Of 'evopress' the set that it found,
   * ascending: it goes as a whole, and no part of it was chosen for itself.
   */
  readonly order: number[];
  /** What the whole model scores on the same tokens, where the criterion has such a number ('ppl'). */
  readonly reference?: number;
  /** Indices that the `+` rule keeps (first four, last two); empty without it. */
  readonly protected: number[];
  /** Consecutive blocks per score ('angular'); 1 otherwise. */
  readonly window: number;
  /** Of a search: what each step removed and what remained. */
  readonly steps?: SearchStep[];
  /** Of 'evopress': how it found its set, and how good that is. */
  readonly evolution?: Evolution;
  /** Of a search: what it kept at either end. */
  readonly barriers?: Barriers;
  readonly calibration: CalibrationInfo;
  readonly milliseconds: number;
  readonly peakGpuBytes: number;
  readonly device: DeviceLabel;
}
