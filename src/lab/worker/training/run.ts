/** @file One training of the queue: what it was asked for, how far it is, and who waits for its end. */
import type { PruningPlan } from '../../../pruning/plan';
import type { Step, TrainingText } from '../../../pruning/variant';
import { newRecord, type TrainingRecord } from '../../../retrain/train';
import type { Progress } from '../../../task';
import type { Failure } from '../../contract/failure';
import type { RetrainRequest, RetrainResult, TrainingInfo, TrainingPhase } from '../../contract/retraining';
import type { Plain } from '../../contract/workerSession';
import type { TrainingData } from '../trainingRows';
import type { Checkpoints, SavedState } from './checkpoints';
import { thinned } from './curve';
import { Pace } from './pace';

/** The variant that is trained. */
export interface TrainedVariant {
  readonly id: string;
  readonly name: string;
  readonly parent: string | null;
  readonly plan: PruningPlan;
  readonly recipe: readonly Step[];
}

/** What a training goes on from. */
export interface Checkpoint {
  /** Index of its phase. */
  readonly phase: number;
  /** The weights that each earlier phase has left, and the state of that phase's trainer, if it has made a step. */
  readonly states: readonly SavedState[];
  /** Steps made, and the rest of the record then. */
  readonly step: number;
  readonly evaluations: number;
  readonly tokens: number;
  readonly seconds: number;
}

/** What someone wants of a training that runs: it is heard between two steps. 'yield': the engine is needed, it goes on later. */
export type Wish = 'pause' | 'keep' | 'yield';

export interface RunFacts {
  readonly id: string;
  readonly source: TrainedVariant;
  readonly request: Plain<RetrainRequest>;
  /** The calibration's where the request names none. */
  readonly seed: number;
  /** The rows that it began with, as the recipe tells them, and the hash of the held-out rows. */
  readonly text: TrainingText;
  readonly heldOutHash: string;
  /** Milliseconds since 1970. */
  readonly created: number;
}

/** A promise with its ends. */
class Outcome {
  readonly promise: Promise<RetrainResult>;
  resolve!: (result: RetrainResult) => void;
  reject!: (thrown: unknown) => void;

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    this.promise.catch(() => undefined); // nobody may be waiting
  }
}

export class TrainingRun {
  facts: RunFacts;
  readonly checkpoints: Checkpoints;
  readonly record: TrainingRecord = newRecord();
  readonly pace = new Pace();
  readonly #listeners = new Set<(progress: Progress) => void>();
  phase: TrainingPhase = 'waiting';
  /** Null until it is wanted, where the training comes from the storage. */
  data: TrainingData | null = null;
  checkpoint: Checkpoint | null = null;
  /** Steps that the checkpoint in the storage holds; the other one may be in memory. */
  storedStep: number | null = null;
  failure: Failure | null = null;
  wish: Wish | null = null;
  /** It is in the storage. */
  stored = false;
  /** It went on by itself after the GPU was lost, and has stored no checkpoint since. */
  recovered = false;
  /** Makes it another tab's again. */
  unlock: (() => void) | null = null;
  controller = new AbortController();
  #outcome: Outcome | null = null;

  constructor(facts: RunFacts, checkpoints: Checkpoints) {
    this.facts = facts;
    this.checkpoints = checkpoints;
  }

  get id(): string {
    return this.facts.id;
  }

  get step(): number {
    return this.record.losses.length;
  }

  /** What its callers wait for. */
  get outcome(): Promise<RetrainResult> {
    this.#outcome ??= new Outcome();
    return this.#outcome.promise;
  }

  resolve(result: RetrainResult): void {
    this.#outcome?.resolve(result);
    this.#outcome = null;
  }

  /** Those who wait hear of it; the next ones wait for another end. */
  reject(thrown: unknown): void {
    this.#outcome?.reject(thrown);
    this.#outcome = null;
  }

  listen(listener: ((progress: Progress) => void) | undefined): () => void {
    if (listener === undefined) return () => undefined;
    const own = (progress: Progress): void => listener(progress); // its own, though callers may share a function
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  readonly onProgress = (progress: Progress): void => {
    for (const listener of this.#listeners) listener(progress);
  };

  /** Forgets what was made behind the checkpoint. */
  rewind(): void {
    const { step, evaluations, tokens, seconds } = this.checkpoint ?? {
      step: 0,
      evaluations: 0,
      tokens: 0,
      seconds: 0,
    };
    this.record.losses.length = step;
    this.record.evaluations.length = evaluations;
    this.record.tokens = tokens;
    this.record.seconds = seconds;
    this.pace.reset();
  }

  info(): TrainingInfo {
    const { id, source, text } = this.facts;
    const pairs = text.corpus === 'instructions' ? { instructions: [] } : {};
    const request = { ...short(this.facts.request), ...pairs };
    const { losses, evaluations } = this.record;
    const { step, phase, storedStep, failure, pace } = this;
    const every = evaluateEvery(request);
    const evaluationsLeft = Math.ceil(request.steps / every) - Math.floor(step / every);
    return {
      ...{ id, variant: source.id, variantName: source.name, request, phase },
      ...{ step, steps: request.steps, losses: thinned(losses), evaluations: thinned(evaluations) },
      tokensPerSecond: pace.tokensPerSecond,
      secondsLeft: pace.secondsLeft(request.steps - step, evaluationsLeft),
      ...{ checkpoint: storedStep, failure },
    };
  }
}

/** Steps between two evaluations. */
export function evaluateEvery({ steps, evaluateEvery: every }: Plain<RetrainRequest>): number {
  return every ?? Math.max(1, Math.ceil(steps / 10));
}

/** Without texts and token ids, which may be large. */
export function short(request: Plain<RetrainRequest>): Plain<RetrainRequest> {
  const { text: _, tokenIds: __, instructions: ___, evaluation, ...rest } = request;
  if (evaluation === undefined) return rest;
  const { text: ____, tokenIds: _____, ...ofHeldOut } = evaluation;
  return { ...rest, evaluation: ofHeldOut };
}
