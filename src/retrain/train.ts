/** @file The loop of a training: rows and learning rate step by step, losses, and the held-out perplexity at intervals. */
import type { StepOptions, Trainer } from '../engine/train/trainer';
import { LabError, throwIfAborted } from '../errors';
import type { AdamW } from '../numerics/adamw';
import type { TaskOptions } from '../task';
import { rowOrder } from './order';
import { type TrainingRow, targetsOf } from './rows';
import { type RateSetting, rateAt } from './schedule';

export interface TrainSetting extends RateSetting, TaskOptions {
  readonly trainer: Pick<Trainer, 'step'>;
  readonly rows: readonly TrainingRow[];
  /** Rows of a step. */
  readonly batch: number;
  /** Null trains in the order of the rows. */
  readonly seed: number | null;
  readonly optimizer: Omit<AdamW, 'learningRate'>;
  /** Largest global norm of the gradients. */
  readonly clip: number;
  /** In place of the text's loss alone. */
  readonly distill?: StepOptions['distill'];
  /** Perplexity on held-out text. */
  readonly evaluate: () => Promise<number>;
  /** Steps between two evaluations; there is one before the first step and one after the last. */
  readonly evaluateEvery: number;
  /**
   * Where these steps are a part of a longer training: how many came before them, and all of it. The learning rate begins anew with the
   * part; rows and evaluations follow the whole.
   */
  readonly part?: { readonly first: number; readonly total: number };
  /** What was trained so far; the loop goes on behind it and adds to it. */
  readonly record?: TrainingRecord;
  /** Asked before each step and behind the last one; false ends the training there. */
  readonly goOn?: () => Promise<boolean>;
}

export interface TrainingStep {
  /** Counts from 1. */
  readonly step: number;
  /** Mean loss of the batch, before this step's update. */
  readonly loss: number;
  readonly learningRate: number;
}

export interface HeldOut {
  /** Steps made before it. */
  readonly step: number;
  readonly perplexity: number;
}

/** What a training has come to. Times are those of all its sessions. */
export interface TrainingRecord {
  readonly losses: TrainingStep[];
  readonly evaluations: HeldOut[];
  /** Predicted tokens of all steps. */
  tokens: number;
  /** Duration of all steps, without evaluations. */
  seconds: number;
}

export function newRecord(): TrainingRecord {
  return { losses: [], evaluations: [], tokens: 0, seconds: 0 };
}

/** @throws LabError 'non-finite' for a loss that is no number, 'aborted' between two steps */
export async function train(setting: TrainSetting): Promise<TrainingRecord> {
  const { trainer, rows, batch, steps, seed, optimizer, clip, signal, record = newRecord() } = setting;
  const { first, total } = setting.part ?? { first: 0, total: steps };
  const { losses, evaluations } = record;
  const next = rowOrder(rows.length, batch, seed);
  const evaluate = async (): Promise<void> => {
    const perplexity = await setting.evaluate().catch((thrown: unknown) => diverged(thrown, losses.length));
    evaluations.push({ step: losses.length, perplexity });
  };
  const report = (): void => {
    const [last, held] = [losses.at(-1)?.loss, evaluations.at(-1)!.perplexity];
    const loss = last === undefined ? '' : `, loss ${last.toFixed(3)}`;
    const stage = `Training${loss}, held-out perplexity ${held.toPrecision(4)}`;
    setting.onProgress?.({ stage, done: losses.length, total, unit: 'steps' });
  };
  if (evaluations.length === 0) await evaluate();
  for (;;) {
    const made = losses.length;
    report();
    throwIfAborted(signal, 'The training');
    const wanted = (await setting.goOn?.()) ?? true;
    if (!wanted || made >= first + steps) return record;
    const learningRate = rateAt(made - first, setting);
    const chosen = next(made).map((row) => rows[row]!);
    const began = performance.now();
    const sequences = chosen.map(({ tokens }) => tokens);
    const firstTargets = chosen.map(({ firstTarget }) => firstTarget);
    const options = { signal, optimizer: { ...optimizer, learningRate }, clip, firstTargets, distill: setting.distill };
    const { loss } = await trainer.step(sequences, options);
    record.seconds += (performance.now() - began) / 1000;
    record.tokens += targetsOf(chosen);
    losses.push({ step: made + 1, loss, learningRate });
    if (made + 1 === total || (made + 1) % setting.evaluateEvery === 0) await evaluate();
  }
}

/** A held-out loss that is no number comes from the training, if it was one before. */
function diverged(thrown: unknown, steps: number): never {
  if (!(thrown instanceof LabError) || thrown.code !== 'non-finite' || steps === 0) throw thrown;
  throw new LabError(
    'non-finite',
    `Step ${steps} of the training: the held-out loss is not a finite number any more.`,
    'Train with a lower learning rate, or with clipping.',
    { cause: thrown },
  );
}
