/** @file What belongs to the open model: its variants, sequences, calibration and scores. It is closed with the model. */
import type { WidthId } from '../../importance/methods';
import type { Recent } from '../../recent';
import type { ScoreOptions, Scores, WidthScoreOptions, WidthScores } from '../../report/scores';
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
  /** Of heads and neurons, by method and options: `widthKey`. */
  readonly widthScores: Recent<string, WidthScores>;
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
  workspace.calibration ??= await workspace.sequences.calibration({}, task);
  return workspace.calibration;
}

/** Keeps scores for plans and reports, unless another calibration has begun meanwhile: its scores start again. */
export function saveScores(workspace: Workspace, found: Scores, options: ImportanceOptions): Scores {
  const saved = { ...found, options: asked<ScoreOptions>(options) };
  if (isOfCalibration(workspace, found)) workspace.scores.set(scoresKey(found.criterion, options), saved);
  return saved;
}

/** Keeps scores of heads and neurons for plans and reports, unless another calibration has begun meanwhile. */
export function saveWidthScores(workspace: Workspace, found: WidthScores): WidthScores {
  if (isOfCalibration(workspace, found)) {
    workspace.widthScores.set(widthKey(found.method, found.options ?? {}), found);
  }
  return found;
}

/** What distinguishes two measurements by width methods on one calibration. */
export function widthKey(method: WidthId, options: WidthScoreOptions): string {
  const { seed = null, asPublished = false, sequential = false, ratio = null, roundTo = null, heads = null } = options;
  return JSON.stringify([method, seed, asPublished, sequential, ratio, roundTo, heads]);
}

/** Whether scores were measured on the present calibration, or on no tokens at all. */
function isOfCalibration({ calibration }: Workspace, found: Pick<Scores, 'calibration'>): boolean {
  const { hash } = found.calibration;
  return calibration === null || hash === noData.info.hash || hash === calibration.info.hash;
}

/** The options of a measurement, without its signal and progress, and without what was left undefined. */
function asked<T extends object>({ signal: _signal, onProgress: _onProgress, ...options }: T & TaskOptions): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}

/** The calibration of criteria that read no tokens: they need no tokenizer either. */
export const noData: Calibration = {
  sequences: [],
  info: { corpus: 'none', samples: 0, seqLen: 0, seed: 1234, tokens: 0, hash: '' },
};
