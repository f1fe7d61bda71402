/** @file What a criterion is: a value in a registry. Menu, URL codec and report read the same record. */

import type { Engine, Survey } from '../engine/engine';
import type { ModelShape } from '../model/shape';
import type { DepthKind } from '../model/unit';
import type { WeightSource } from '../model/weights';
import type { TokenSequences } from '../numerics/tokens';
import type { TaskOptions } from '../task';
import type { Criterion } from './types';

/** The only door between a criterion and the engine: what it may ask to be measured. */
export type Probe = Pick<
  Engine,
  | 'removalSweep'
  | 'blockStatistics'
  | 'subBlockInfluence'
  | 'magnitudes'
  | 'taylor'
  | 'combinedPass'
  | 'divergence'
  | 'score'
>;

/** What a criterion measures on. */
export interface Setting extends TaskOptions {
  /** Null where there is no GPU: criteria that need one reject before they are called. */
  readonly probe: Probe | null;
  readonly shape: ModelShape;
  readonly weights: WeightSource;
  readonly sequences: TokenSequences;
  readonly unit: DepthKind;
  /** Consecutive blocks per score. */
  readonly span: number;
  readonly seed: number;
}

export interface CriterionRecord {
  readonly id: Criterion;
  readonly label: string;
  /** Where the definition stands. */
  readonly paper: string;
  /** 'gpu': passes over the calibration windows; 'weights': the weights alone; 'nothing'. */
  readonly needs: 'gpu' | 'weights' | 'nothing';
  readonly units: readonly DepthKind[];
  /** One score per unit (angular: per start of a run); low = remove first. */
  score(setting: Setting): Promise<number[]>;
  /** The same from the one pass over the model that serves every criterion which has this. */
  fromCombinedPass?(found: Survey, setting: Pick<Setting, 'unit' | 'span'>): number[];
}
