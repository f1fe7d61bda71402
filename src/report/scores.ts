/** @file Scores as `lab.importance` and `lab.widthImportance` return them. Every score reads the same way: low = remove first. */
import type { DeviceLabel } from '../benchmark/deviceLabel';
import type { Evolution, SearchStep } from '../importance/search/found';
import type { Barriers, Criterion, HeadUnit, SearchUnit, WidthMethod } from '../importance/types';
import type { CalibrationInfo } from './texts';

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
