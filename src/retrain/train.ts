/** @file The loop of a training: rows and learning rate step by step, losses, and the held-out perplexity at intervals. */
import type { Trainer } from '../engine/train/trainer';
import { LabError, throwIfAborted } from '../errors';
import type { AdamW } from '../numerics/adamw';
import type { TokenSequences } from '../numerics/tokens';
import type { TaskOptions } from '../task';
import { rowOrder } from './order';
import { type RateSetting, rateAt } from './schedule';

export interface TrainSetting extends RateSetting, TaskOptions {
  readonly trainer: Pick<Trainer, 'step'>;
  readonly rows: TokenSequences;
  /** Rows of a step. */
  readonly batch: number;
  /** Null trains in the order of the rows. */
  readonly seed: number | null;
  readonly optimizer: Omit<AdamW, 'learningRate'>;
  /** Largest global norm of the gradients. */
  readonly clip: number;
  /** Perplexity on held-out text. */
  readonly evaluate: () => Promise<number>;
  /** Steps between two evaluations; there is one before the first step and one after the last. */
  readonly evaluateEvery: number;
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

export interface Trained {
  readonly losses: readonly TrainingStep[];
  readonly evaluations: readonly HeldOut[];
}

/** @throws LabError 'non-finite' for a loss that is no number, 'aborted' between two steps */
export async function train(setting: TrainSetting): Promise<Trained> {
  const { trainer, rows, batch, steps, seed, optimizer, clip, signal } = setting;
  const next = rowOrder(rows.length, batch, seed);
  const losses: TrainingStep[] = [];
  const evaluate = (): Promise<number> =>
    setting.evaluate().catch((thrown: unknown) => diverged(thrown, losses.length));
  const evaluations: HeldOut[] = [{ step: 0, perplexity: await evaluate() }];
  const report = (): void => {
    const [last, held] = [losses.at(-1)?.loss, evaluations.at(-1)!.perplexity];
    const loss = last === undefined ? '' : `, loss ${last.toFixed(3)}`;
    const stage = `Training${loss}, held-out perplexity ${held.toPrecision(4)}`;
    setting.onProgress?.({ stage, done: losses.length, total: steps, unit: 'steps' });
  };
  for (let step = 0; step < steps; step++) {
    report();
    throwIfAborted(signal, 'The training');
    const learningRate = rateAt(step, setting);
    const chosen = next(step).map((row) => rows[row]!);
    const { loss } = await trainer.step(chosen, { signal, optimizer: { ...optimizer, learningRate }, clip });
    losses.push({ step: step + 1, loss, learningRate });
    const isLast = step + 1 === steps;
    if (isLast || (step + 1) % setting.evaluateEvery === 0) {
      evaluations.push({ step: step + 1, perplexity: await evaluate() });
    }
  }
  report();
  return { losses, evaluations };
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
