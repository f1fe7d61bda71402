/** @file What belongs to the open model: its variants, sequences, calibration and scores. It is closed with the model. */
import type { Recent } from '../../recent';
import type { ScoreOptions, Scores } from '../../report/scores';
import type { TaskOptions } from '../../task';
import type { ImportanceOptions } from '../contract/types';
import type { Calibration } from '../contract/workerSession';
import type { OpenModel } from './models';
import type { Runtimes } from './runtimes';
import { scoresKey } from './scores';
import type { SequenceMaker } from './sequences';
import type { Variants } from './variants';

/** Everything that belongs to the open model and is closed with it. */
export interface Workspace {
  readonly model: OpenModel;
  readonly runtimes: Runtimes;
  readonly variants: Variants;
  readonly sequences: SequenceMaker;
  calibration: Calibration | null;
  readonly scores: Recent<string, Scores>;
}

/** A criterion with its options is one; a script may ask with many seeds. */
export const mostScores = 200;

/** The calibration that the user chose, or the default one, made at its first use. */
export async function calibrationOf(workspace: Workspace, task: TaskOptions): Promise<Calibration> {
  workspace.calibration ??= await workspace.sequences.calibration({}, task);
  return workspace.calibration;
}

/** Keeps scores for plans and reports, unless another calibration has begun meanwhile: its scores start again. */
export function saveScores({ calibration, scores }: Workspace, found: Scores, options: ImportanceOptions): void {
  const { hash } = found.calibration;
  if (calibration !== null && hash !== noData.info.hash && hash !== calibration.info.hash) return;
  scores.set(scoresKey(found.criterion, options), { ...found, options: asked(options) });
}

/** The options of a measurement, without its signal and progress, and without what was left undefined. */
function asked({ signal: _signal, onProgress: _onProgress, ...options }: ImportanceOptions): ScoreOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

/** The calibration of criteria that read no tokens: they need no tokenizer either. */
export const noData: Calibration = {
  sequences: [],
  info: { corpus: 'none', samples: 0, seqLen: 0, seed: 1234, tokens: 0, hash: '' },
};
