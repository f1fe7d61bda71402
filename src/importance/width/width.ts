/**
 * @file What a width method is: a value in a registry. It scores every attention head and every MLP neuron of the whole
 * model at once, from the same statistics as its neighbours.
 */

import type { Engine, Survey } from '../../engine/engine';
import type { LayerShape, ModelShape } from '../../model/shape';
import type { WeightSource } from '../../model/weights';
import type { TokenSequences } from '../../numerics/tokens';
import type { TaskOptions } from '../../task';
import type { HeadUnit, WidthMethod } from '../types';

/** What a width method may ask of the engine. */
export type WidthProbe = Pick<Engine, 'columnSums' | 'widthStatistics' | 'taylor'>;

export interface WidthSetting extends TaskOptions {
  /** Null where there is no GPU: methods that need one reject before they are called. */
  readonly probe: WidthProbe | null;
  readonly shape: ModelShape;
  readonly weights: WeightSource;
  readonly sequences: TokenSequences;
  readonly seed: number;
}

/** By layer; low = remove first. An empty list for a sub-block that is not there. */
export interface StructureScores {
  readonly heads: number[][];
  readonly neurons: number[][];
}

export interface WidthRecord {
  readonly id: WidthMethod;
  readonly label: string;
  /** Where the definition stands. */
  readonly paper: string;
  /** As of a criterion. */
  readonly needs: 'gpu' | 'weights' | 'nothing';
  /** What a score of `heads` stands for. */
  readonly headUnit: HeadUnit;
  score(setting: WidthSetting): Promise<StructureScores>;
  /** The same from a survey that looked at the width. */
  fromCombinedPass?(survey: Survey, layers: readonly LayerShape[]): StructureScores;
}

/** Each run of `size` values added up. */
export function sumRuns(values: ArrayLike<number>, size: number): number[] {
  const sums = new Array<number>(values.length / size).fill(0);
  for (let i = 0; i < values.length; i++) sums[Math.floor(i / size)]! += values[i]!;
  return sums;
}
