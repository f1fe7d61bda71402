/** @file Trainings as the page knows them: what the user chooses, what has ended, what one would take. Pure. */
import type { TaskOptions } from '../../task';
import type { Failure } from '../contract/failure';
import type { RetrainRequest, TrainingInfo, TrainingMemory } from '../contract/retraining';
import type { VariantInfo } from '../contract/types';

/** What the user chooses of a training. */
export type TrainingChoice = Omit<RetrainRequest, keyof TaskOptions>;

/** A training that ended in this visit and became a variant. */
export interface EndedTraining extends Pick<TrainingInfo, 'request' | 'losses' | 'evaluations'> {
  /** Id and name of the trained variant. */
  readonly variant: string;
  readonly name: string;
  /** Id of the variant that was trained. */
  readonly parent: string;
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
