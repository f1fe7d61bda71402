/** @file The variants of a comparison that a training made, with its curves. Pure. */
import type { RetrainStep } from '../pruning/variant';
import type { ComparisonRow } from './results';
import type { TrainingCurves } from './trainingCurves';

export interface TrainedRow {
  readonly row: ComparisonRow;
  /** The last training of its recipe. */
  readonly step: RetrainStep;
  readonly training: TrainingCurves;
}

/** Rows that have curves, in their order. */
export function trainedRows(rows: readonly ComparisonRow[]): TrainedRow[] {
  return rows.flatMap((row) => {
    const step = row.recipe.findLast(({ kind }) => kind === 'retrain');
    const { training } = row;
    if (step?.kind !== 'retrain' || training === undefined || training.losses.length === 0) return [];
    return [{ row, step, training }];
  });
}
