/** @file Trainings as the page knows them: what the user chooses, what has ended, what one would take. Pure. */
import type { ComparisonRow } from '../../report/results';
import { type TrainedRow, trainedRows } from '../../report/trainedRows';
import type { TaskOptions } from '../../task';
import type { Failure } from '../contract/failure';
import type { RetrainRequest, TrainingInfo, TrainingMemory } from '../contract/retraining';
import type { VariantInfo } from '../contract/types';

/** What the user chooses of a training. */
export type TrainingChoice = Omit<RetrainRequest, keyof TaskOptions>;

/** A training that ended and became a variant. */
export interface EndedTraining extends Pick<TrainingInfo, 'request' | 'losses' | 'evaluations'> {
  /** Id and name of the trained variant. */
  readonly variant: string;
  readonly name: string;
  /** Id of the variant that was trained. */
  readonly parent: string;
  /** It ended in an earlier visit: the curves are those of the variant's row, some points of each. */
  readonly earlier?: true;
}

/**
 * Trainings that ended, the latest of this visit at the end: those of this visit with all their points, the others as the rows of their
 * variants tell them.
 */
export function endedTrainings(
  trained: readonly EndedTraining[],
  comparison: readonly ComparisonRow[],
): readonly EndedTraining[] {
  const known = new Set(trained.map(({ variant }) => variant));
  const earlier = trainedRows(comparison).filter(({ row }) => !known.has(row.variant));
  return [...earlier.map(endedOf), ...trained];
}

function endedOf({ row, step, training }: TrainedRow): EndedTraining {
  const { method, steps, batch, learningRate, text } = step;
  const { corpus, source, generated, heldOut, samples, seqLen } = text;
  const { heldOut: measured } = training;
  const ofText = generated
    ? { generated: { rows: samples, seqLen, ...generated } }
    : corpus === 'instructions'
      ? { instructions: [], ...(source !== undefined && { instructionsFrom: source }) }
      : { corpus };
  const evaluation = measured && {
    evaluation: { corpus: measured.corpus, samples: measured.sequences, seqLen: measured.seqLen },
  };
  return {
    ...{ variant: row.variant, name: row.name, parent: row.parent ?? 'base', earlier: true },
    request: { method, steps, batch, learningRate, ...ofText, ...(heldOut === undefined ? evaluation : { heldOut }) },
    losses: training.losses.map((point) => ({ ...point, learningRate })),
    evaluations: [...training.evaluations],
  };
}

/** What the laboratory answered about the memory of a training: one of the two is null. */
export interface MemoryAnswer {
  readonly memory: TrainingMemory | null;
  /** Why this training cannot be made here. */
  readonly failure: Failure | null;
  /** The plan is no variant yet: these are the numbers of the base, which takes more. */
  readonly ofBase: boolean;
}

/** The training that the GPU works on, or would: the first one that waits for nothing but the user. */
export function activeTraining(trainings: readonly TrainingInfo[]): TrainingInfo | null {
  const first = (phase: TrainingInfo['phase']): TrainingInfo | undefined =>
    trainings.find((each) => each.phase === phase);
  return first('running') ?? first('paused') ?? first('interrupted') ?? first('failed') ?? trainings[0] ?? null;
}

/** The variant that a training became: the newest one that was made from its variant by training, and was not there before. */
export function madeBy(
  training: Pick<TrainingInfo, 'variant'>,
  before: readonly Pick<VariantInfo, 'id'>[],
  after: readonly VariantInfo[],
): VariantInfo | null {
  const known = new Set(before.map(({ id }) => id));
  const isNew = ({ id, parent, recipe }: VariantInfo): boolean =>
    !known.has(id) && parent === training.variant && recipe.at(-1)?.kind === 'retrain';
  return after.findLast(isNew) ?? null;
}
