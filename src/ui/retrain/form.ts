/** @file What the form of a training holds, its defaults by method, and the request that it makes. Pure. */
import type { Instruction } from '../../lab/contract/retraining';
import type { TrainingChoice } from '../../lab/page/training';
import type { RetrainMethod, Schedule } from '../../pruning/variant';
import type { ComparisonRow, PerplexityResult } from '../../report/results';
import { trainsFactors } from './methods';

export interface Settings {
  readonly steps: number;
  readonly batch: number;
  readonly seqLen: number;
  readonly learningRate: number;
  /** Of the factors after full training. */
  readonly loraLearningRate: number;
  readonly rank: number;
  readonly alpha: number;
  readonly dropout: number;
  readonly temperature: number;
  /** Of the divergence in the loss, 0…1. */
  readonly weight: number;
  readonly schedule: Schedule;
  readonly warmup: number;
  readonly weightDecay: number;
  readonly clip: number;
  /** Null: the calibration's. */
  readonly seed: number | null;
  readonly heldOut: HeldOutChoice;
  /** Steps between two checkpoints; null for about twice a minute. */
  readonly checkpointEvery: number | null;
}

/** What perplexities on the way are measured on: the page's evaluation text, a tenth of the training's rows, or another stored text. */
export type HeldOutChoice = { readonly kind: 'page' | 'share' } | { readonly kind: 'corpus'; readonly corpus: string };

/** What is trained on. */
export type TextChoice =
  /** A stored text by its name; null for the built-in stories. */
  | { readonly kind: 'corpus'; readonly corpus: string | null }
  /** `from`: where the pairs come from, as a recipe tells it; null for the user's own. */
  | { readonly kind: 'instructions'; readonly pairs: readonly Instruction[]; readonly from: string | null }
  | { readonly kind: 'generated'; readonly rows: number; readonly temperature: number };

export interface RetrainForm {
  readonly method: RetrainMethod;
  /** Ids of variants; null stands for the plan that the page shows. */
  readonly variants: readonly (string | null)[];
  readonly text: TextChoice;
  /** What the user changed; the others are defaults of the method. */
  readonly edited: Partial<Settings>;
}

export const firstForm: RetrainForm = {
  method: 'lora',
  variants: [null],
  text: { kind: 'corpus', corpus: null },
  edited: {},
};

/** How many forward passes a step of each method takes: a little more than bench/RESULTS.md measured. */
const forwardPasses: Readonly<Record<RetrainMethod, number>> = { lora: 3, full: 3, 'full+lora': 3, distill: 5 };

export interface Speed {
  /** Predicted tokens a second. */
  readonly tokensPerSecond: number;
  /** False where it is derived from the time of a perplexity. */
  readonly measured: boolean;
}

/** A perplexity with its time. */
type Timed = Pick<PerplexityResult, 'tokens' | 'milliseconds'>;

/**
 * How fast a method trains this model here: as its last training ran, else as the fastest of some perplexities lets expect: the first
 * one of a visit has compiled shaders.
 */
export function speedOf(
  method: RetrainMethod,
  rows: readonly ComparisonRow[],
  perplexities: readonly (Timed | null | undefined)[],
): Speed | null {
  for (const { recipe } of rows.toReversed()) {
    const step = recipe.at(-1);
    if (step?.kind !== 'retrain' || step.method !== method || !step.tokens || !step.seconds) continue;
    return { tokensPerSecond: step.tokens / step.seconds, measured: true };
  }
  const rates = perplexities.flatMap((each) =>
    each && each.milliseconds > 0 ? [(each.tokens * 1000) / each.milliseconds] : [],
  );
  if (rates.length === 0) return null;
  const forward = Math.max(...rates);
  return { tokensPerSecond: forward / forwardPasses[method], measured: false };
}

/** Round numbers of steps. */
const roundSteps = [10, 15, 20, 30, 40, 50, 60, 80, 100, 120, 150, 200, 250, 300, 400, 500, 600, 800, 1000, 1500, 2000];
const minute = 60;

/** Seconds that a training would take, evaluations aside. */
export function secondsOf(
  { steps, batch, seqLen }: Pick<Settings, 'steps' | 'batch' | 'seqLen'>,
  speed: Speed,
): number {
  return (steps * batch * (seqLen - 1)) / speed.tokensPerSecond;
}

/** Batch and steps of about a minute: more steps of fewer rows where the device is slow. */
export function minuteOf(speed: Speed | null, seqLen: number): Pick<Settings, 'batch' | 'steps'> {
  // Few enough for a device whose speed is not known yet: a training may go on from its result.
  if (!speed) return { batch: 4, steps: 20 };
  const stepsOf = (batch: number): number => minute / secondsOf({ steps: 1, batch, seqLen }, speed);
  const batch = [8, 4].find((each) => stepsOf(each) >= 60) ?? 2;
  const steps = roundSteps.findLast((each) => each <= stepsOf(batch) * 1.15) ?? roundSteps[0]!;
  return { batch, steps };
}

/** Learning rates that small and large models bear: the paper's 1e-4 from a width of 1,024 channels on. */
function ratesOf(hidden: number): { readonly full: number; readonly lora: number } {
  if (hidden <= 128) return { full: 1e-3, lora: 5e-3 };
  if (hidden < 1024) return { full: 3e-4, lora: 1e-3 };
  return { full: 1e-4, lora: 1e-4 };
}

export interface DefaultsOf {
  readonly method: RetrainMethod;
  readonly hidden: number;
  /** Most tokens of a row. */
  readonly context: number;
  readonly speed: Speed | null;
}

export function defaultsOf({ method, hidden, context, speed }: DefaultsOf): Settings {
  const seqLen = Math.min(128, context);
  const rates = ratesOf(hidden);
  const { batch, steps } = minuteOf(speed, seqLen);
  return {
    ...{ batch, steps, seqLen },
    learningRate: method === 'lora' ? rates.lora : rates.full,
    loraLearningRate: rates.lora,
    ...{ rank: 8, alpha: 16, dropout: 0, temperature: 2, weight: 0.5 },
    ...{ schedule: 'cosine', warmup: Math.round(steps / 20), weightDecay: 0, clip: 1 },
    ...{ seed: null, heldOut: { kind: 'page' }, checkpointEvery: null },
  };
}

/** The defaults with what the user changed. A warm-up that the user did not set follows the steps. */
export function settingsOf(defaults: Settings, edited: Partial<Settings>): Settings {
  const steps = edited.steps ?? defaults.steps;
  return { ...defaults, warmup: Math.round(steps / 20), ...edited };
}

/** Why a form makes no request; null if it does. */
export function formFault({ variants, text }: RetrainForm, settings: Settings): string | null {
  const { steps, learningRate, loraLearningRate, warmup, clip, temperature } = settings;
  if (variants.length === 0) return 'Choose at least one variant.';
  if (text.kind === 'instructions' && text.pairs.length === 0) return 'Add instruction pairs, or choose another text.';
  if (!(learningRate > 0) || !(loraLearningRate > 0)) return 'Enter a learning rate above zero.';
  if (warmup >= steps) return 'Enter a warm-up that is shorter than the training.';
  if (!(clip > 0)) return 'Enter a clipping norm above zero.';
  if (!(temperature > 0)) return 'Enter a temperature above zero.';
  return null;
}

/** The request of a form: only what its method uses. */
export function requestOf({ method, text }: RetrainForm, settings: Settings): TrainingChoice {
  const { steps, batch, seqLen, learningRate, loraLearningRate, rank, alpha, dropout, temperature, weight } = settings;
  const { schedule, warmup, weightDecay, clip, seed, heldOut, checkpointEvery } = settings;
  return {
    ...{ method, steps, batch, learningRate, schedule, warmup, weightDecay, clip },
    ...textOf(text, seqLen),
    ...(trainsFactors(method) && { rank, alpha, dropout }),
    ...(method === 'full+lora' && { loraLearningRate }),
    ...(method === 'distill' && { temperature, weight }),
    ...(seed !== null && { seed }),
    ...(heldOut.kind === 'corpus' && { evaluation: { corpus: heldOut.corpus, samples: heldOutRows } }),
    ...(heldOut.kind === 'share' && { heldOut: heldOutShare }),
    ...(checkpointEvery !== null && { checkpointEvery }),
  };
}

/** Rows of a held-out text that the user chose for this training. */
const heldOutRows = 16;
const heldOutShare = 0.1;

function textOf(text: TextChoice, seqLen: number): Partial<TrainingChoice> {
  if (text.kind === 'instructions') {
    return { instructions: [...text.pairs], ...(text.from !== null && { instructionsFrom: text.from }), seqLen };
  }
  if (text.kind === 'generated') return { generated: { rows: text.rows, seqLen, temperature: text.temperature } };
  return { ...(text.corpus !== null && { corpus: text.corpus }), seqLen };
}
