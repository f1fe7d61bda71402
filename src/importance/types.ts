/** @file What a criterion answers. Every score reads the same way: low = remove first. */

import type { SearchStep } from '../task';

export type Criterion =
  | 'magnitude'
  | 'taylor'
  | 'ppl'
  | 'block-influence'
  | 'angular'
  | 'sleb'
  | 'block-pruner'
  | 'random';

export type Unit = 'block' | 'attention' | 'mlp';

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

export interface Scores {
  readonly criterion: Criterion;
  readonly unit: Unit;
  /**
   * One per block; for 'angular' with window n one per start, that is layers − n + 1. Of a search: the number of the
   * step that removed the unit; 'block-pruner' counts halves (attention of block l is 2 l, its MLP 2 l + 1).
   */
  readonly scores: number[];
  /** Unit indices, the one to remove first in front; protected ones are absent. */
  readonly order: number[];
  /** What the whole model scores on the same tokens, where the criterion has such a number ('ppl'). */
  readonly reference?: number;
  /** Indices that the `+` rule keeps (first four, last two); empty without it. */
  readonly protected: number[];
  /** Consecutive blocks per score ('angular'); 1 otherwise. */
  readonly window: number;
  /** Of a search: what each step removed and what remained. */
  readonly steps?: SearchStep[];
  /** Of a search: what it kept at either end. */
  readonly barriers?: Barriers;
  readonly calibration: CalibrationInfo;
  readonly milliseconds: number;
  readonly peakGpuBytes: number;
  readonly device: DeviceLabel;
}
