/** @file What belongs to the open model: its variants, sequences, calibration and scores. It is closed with the model. */
import type { SearchId } from '../../importance/methods';
import type { Recent } from '../../recent';
import type { Scores, WidthScores } from '../../report/scores';
import type { EvolutionResult, SearchResult } from '../../report/searches';
import type { CalibrationInfo } from '../../report/texts';
import type { TaskOptions } from '../../task';
import type { Calibration } from '../contract/workerSession';
import type { OpenModel } from './models';
import type { Runtimes } from './runtimes';
import type { SequenceMaker } from './sequences';
import type { Variants } from './variants';

/** Everything that belongs to the open model and is closed with it. */
export interface Workspace {
  readonly model: OpenModel;
  readonly runtimes: Runtimes;
  readonly variants: Variants;
  readonly sequences: SequenceMaker;
  calibration: Calibration | null;
  /** What scores of an earlier session were measured on, until this session has a calibration: token ids are not kept. */
  restoredCalibration: CalibrationInfo | null;
  readonly scores: Recent<string, Scores>;
  /** Of heads and neurons, by method and options: `widthKey`. */
  readonly widthScores: Recent<string, WidthScores>;
  /** The last result of each greedy search. */
  searches: Partial<Record<SearchId, SearchResult>>;
  /** The last result of an evolutionary search. */
  evolution: EvolutionResult | null;
}

/** A criterion with its options is one; a script may ask with many seeds. */
export const mostScores = 200;

/** Bound on the numbers of all width scores together: 64 MB. The scores that were measured last stay, however many they are. */
export const mostWidthNumbers = 8_000_000;

/** How many numbers width scores hold. */
export function numbersIn({ heads, neurons }: WidthScores): number {
  return [...heads, ...neurons].reduce((sum, list) => sum + list.length, 0);
}

/** The calibration that the user chose, or the default one, made at its first use. */
export async function calibrationOf(workspace: Workspace, task: TaskOptions): Promise<Calibration> {
  if (workspace.calibration === null) calibrateOn(workspace, await workspace.sequences.calibration({}, task));
  return workspace.calibration!;
}

/** Measures on this calibration from now on. What was measured on other tokens or with another seed is dropped. */
export function calibrateOn(workspace: Workspace, calibration: Calibration): void {
  const before = workspace.calibration?.info ?? workspace.restoredCalibration;
  workspace.calibration = calibration;
  if (before?.hash === calibration.info.hash && before.seed === calibration.info.seed) return;
  workspace.scores.clear();
  workspace.widthScores.clear();
  workspace.searches = {};
  workspace.evolution = null;
}

/** The calibration of criteria that read no tokens: they need no tokenizer either. */
export const noData: Calibration = {
  sequences: [],
  info: { corpus: 'none', samples: 0, seqLen: 0, seed: 1234, tokens: 0, hash: '' },
};
