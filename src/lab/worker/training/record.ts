/** @file A training as it rests in the storage: plain data, from which another session makes it again. */
import { isObject } from '../../../io/schema';
import type { StateIndex } from '../../../retrain/savedState';
import type { HeldOut } from '../../../retrain/train';
import type { StoredTraining } from '../../../shards/store/trainingStore';
import type { Failure } from '../../contract/failure';
import type { RetrainRequest } from '../../contract/retraining';
import type { Plain } from '../../contract/workerSession';
import type { TrainingData } from '../trainingRows';
import type { Checkpoints } from './checkpoints';
import { type Checkpoint, type RunFacts, short, TrainingRun } from './run';

interface StoredCheckpoint extends Pick<Checkpoint, 'phase' | 'tokens' | 'seconds'> {
  readonly states: readonly { readonly index: StateIndex; readonly set: string }[];
  /** By step, as many as were made. */
  readonly losses: Float64Array;
  readonly learningRates: Float64Array;
  readonly evaluations: readonly HeldOut[];
}

interface About {
  readonly version: 1;
  /** Texts and token ids aside: `input` has them. */
  readonly facts: RunFacts;
  readonly failure: Failure | null;
  readonly checkpoint: StoredCheckpoint | null;
}

export function aboutOf(
  { facts, record, failure }: Pick<TrainingRun, 'facts' | 'record' | 'failure'>,
  checkpoint: Checkpoint | null,
): About {
  const about = { version: 1, facts: { ...facts, request: short(facts.request) }, failure } as const;
  if (checkpoint === null) return { ...about, checkpoint };
  const { phase, step, evaluations, tokens, seconds } = checkpoint;
  const losses = record.losses.slice(0, step);
  return {
    ...about,
    checkpoint: {
      ...{ phase, tokens, seconds },
      states: checkpoint.states.flatMap(({ index, stored }) => (stored === null ? [] : { index, set: stored.set })),
      losses: Float64Array.from(losses, ({ loss }) => loss),
      learningRates: Float64Array.from(losses, ({ learningRate }) => learningRate),
      evaluations: record.evaluations.slice(0, evaluations),
    },
  };
}

/** What a training was asked for, with its texts and token ids. */
interface Input {
  readonly request: Plain<RetrainRequest>;
  /** Text that the base wrote: on another GPU it might write another one. */
  readonly data: TrainingData | null;
}

/** The input as it is stored beside. */
export function inputOf({ facts: { request }, data }: Pick<TrainingRun, 'facts' | 'data'>): Blob {
  const input: Input = { request, data: request.generated === undefined ? null : data };
  return new Blob([JSON.stringify(input)]);
}

export async function storedInput({ input }: StoredTraining): Promise<Input> {
  return JSON.parse(await input.text()) as Input;
}

/** A training of an earlier session at its checkpoint; null for one that cannot be understood. */
export function runOf({ about, sets }: StoredTraining, checkpoints: (run: string) => Checkpoints): TrainingRun | null {
  if (!isAbout(about)) return null;
  const { facts, failure, checkpoint } = about;
  const run = new TrainingRun(facts, checkpoints(facts.id));
  run.phase = failure !== null && failure.code !== 'quota' ? 'failed' : 'interrupted';
  run.failure = failure;
  run.stored = true;
  if (checkpoint === null) return run;
  const { phase, states, losses, learningRates, evaluations, tokens, seconds } = checkpoint;
  const found = states.flatMap(({ index, set }) => {
    const stored = sets.find((each) => each.set === set);
    return stored === undefined ? [] : { index, stored, blobs: null };
  });
  if (found.length < states.length) return run; // from the beginning
  run.checkpoint = { phase, states: found, step: losses.length, evaluations: evaluations.length, tokens, seconds };
  run.storedStep = losses.length;
  losses.forEach((loss, index) => {
    run.record.losses.push({ step: index + 1, loss, learningRate: learningRates[index]! });
  });
  run.record.evaluations.push(...evaluations);
  run.rewind();
  return run;
}

function isAbout(value: unknown): value is About {
  if (!isObject(value)) return false;
  const { version, facts, checkpoint } = value as Partial<About>;
  if (version !== 1 || !isObject(facts)) return false;
  if (!isObject(facts.request) || !isObject(facts.source) || !isObject(facts.text)) return false;
  return checkpoint === null || (isObject(checkpoint) && isWhole(checkpoint as StoredCheckpoint));
}

function isWhole({ states, losses, learningRates, evaluations }: Partial<StoredCheckpoint>): boolean {
  if (!Array.isArray(states) || !Array.isArray(evaluations)) return false;
  if (!(losses instanceof Float64Array && learningRates instanceof Float64Array)) return false;
  return losses.length === learningRates.length && losses.every(Number.isFinite);
}
