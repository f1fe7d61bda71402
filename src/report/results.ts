/** @file Perplexity, latency and answers of a variant as `lab` returns them, and the row that holds all of a variant's numbers. */
import type { DeviceLabel } from '../benchmark/deviceLabel';
import { dictionary, flag, list, mapped, object, oneOf, orNull, real, type Schema, text, whole } from '../io/schema';
import type { Ratio } from '../numerics/pairedRatio';
import type { GraphPrecision } from '../onnx/graph';
import type { PruningPlan } from '../pruning/plan';
import { recipeOf, type Step } from '../pruning/variant';
import { amount, amountOrInfinity, amountOrNull, count, deviceLabel, most, name } from './fields';
import { pruningPlan, recipe } from './plans';
import { type TextInfo, textInfo } from './texts';
import { curvesSchema, type TrainingCurves } from './trainingCurves';

export type Runtime = 'wgsl' | 'ort-webgpu' | 'ort-wasm';

export interface PerplexityResult {
  /** exp(meanNll); Infinity where that is beyond the largest double, from a meanNll of 710 on: the loss is a number all the same. */
  perplexity: number;
  meanNll: number;
  /** Predicted tokens. */
  tokens: number;
  milliseconds: number;
  runtime: Runtime;
  text: TextInfo;
  device: DeviceLabel;
  /** What ran, of ONNX Runtime's numbers; absent in those of earlier versions. */
  precision?: GraphPrecision;
}

/**
 * How many times as fast as another variant, of whole generations: the geometric mean over pairs of runs, the interval by
 * Student's t on the logarithms of their ratios. Where it includes 1, the runs show no difference.
 */
export interface SpeedUp extends Ratio {
  /** Id of the other variant. */
  readonly against: string;
  /** The same of the time per decoded token; null where nothing was decoded, or in less time than the clock tells. */
  readonly decode: Ratio | null;
  readonly pairs: number;
  /** False where both did not fit into memory side by side: the other ran before and behind this one instead. */
  readonly inTurns: boolean;
}

export interface LatencyResult {
  batch: number;
  /** Medians over `runs`. */
  prefillMs: number;
  decodeMsPerToken: number;
  /** Whole generation: prefill and all new tokens. */
  latencyMs: number;
  /** batch · newTokens per second of latency. */
  throughput: number;
  /** Standard deviation of latencyMs over the runs, ms. */
  spread: number;
  /** Weights and cache that the session holds, bytes. */
  peakBytes: number;
  runtime: Runtime;
  promptTokens: number;
  newTokens: number;
  runs: number;
  warmups: number;
  device: DeviceLabel;
  /** What ran; absent in numbers of earlier versions. */
  precision?: GraphPrecision;
  /** Where the request named a variant to compare with. Absent in numbers of the first versions. */
  speedUp?: SpeedUp;
}

/** What a variant answered in a multiple-choice task. */
export interface TaskResult {
  /** Name of the task: 'story-endings', 'piqa', or the name of the file that held its questions. */
  task: string;
  /** Questions that were asked. */
  items: number;
  /** Share of the questions whose likeliest answer is right, 0…1. */
  accuracy: number;
  /** Share whose likeliest answer is right when each log-likelihood is divided by the answer's characters: lm-eval's `acc_norm`, 0…1. */
  accuracyNorm: number;
  /** Of `accuracy`: sqrt(p (1 − p) / (items − 1)), as lm-evaluation-harness computes it; 0 for a single question. */
  standardError: number;
  /** Hash of the questions' token ids: same questions, same hash. */
  hash: string;
  device: DeviceLabel;
  milliseconds: number;
}

/** One row per variant with all that was measured: what the charts draw. */
export interface ComparisonRow {
  variant: string;
  name: string;
  plan: PruningPlan;
  parameters: number;
  ratio: number;
  layers: number;
  /** Id of the variant that it was made from; null for the base. */
  parent: string | null;
  /** How it was made, from the base on. */
  recipe: readonly Step[];
  /** Bytes that its own weights take in IndexedDB; 0 for a variant that has the base's weights. */
  patchBytes: number;
  /** Its own weights are no longer stored: its numbers stay, and no new one can be measured. */
  patchLost?: true;
  /**
   * Its plan and its recipe only tell how many neurons stay in each block, the first ones standing for them: a link had no room
   * for more. Nothing can be measured of such a variant.
   */
  countsOnly?: true;
  perplexity: Partial<Record<Runtime, PerplexityResult>>;
  latency: LatencyResult[];
  /** One result per task, the newest; absent where the variant was asked nothing. */
  tasks?: readonly TaskResult[];
  /** The curves of the training that made it, if one did and they are known. */
  training?: TrainingCurves;
}

const runtimes = ['wgsl', 'ort-webgpu', 'ort-wasm'] as const satisfies readonly Runtime[];
const runtime = oneOf(runtimes);
const precision: Schema<GraphPrecision> = oneOf(['f32', 'f16-weights', 'f16']);

/** A perplexity that `JSON.stringify` turned into null is computed again from the loss. */
export const perplexityResult: Schema<PerplexityResult> = mapped(
  object(
    {
      ...{ perplexity: amountOrNull, meanNll: amountOrNull, tokens: count, milliseconds: amount },
      ...{ runtime, text: textInfo, device: deviceLabel },
    },
    { precision },
  ),
  ({ perplexity, meanNll, ...rest }) => {
    const loss = meanNll ?? Number.NaN;
    return { ...rest, perplexity: perplexity ?? Math.exp(loss), meanNll: loss };
  },
);

const ratioFields = { ratio: amountOrInfinity, low: amount, high: amountOrInfinity };
const ratio: Schema<Ratio> = object(ratioFields);
const speedUp: Schema<SpeedUp> = object({
  ...ratioFields,
  against: name,
  decode: orNull(ratio),
  pairs: count,
  inTurns: flag,
});

export const latencyResult: Schema<LatencyResult> = object(
  {
    ...{ batch: count, prefillMs: amount, decodeMsPerToken: amount, latencyMs: amount, throughput: amountOrInfinity },
    ...{
      spread: amount,
      peakBytes: amount,
      runtime,
      promptTokens: count,
      newTokens: count,
      runs: count,
      warmups: count,
    },
    device: deviceLabel,
  },
  { precision, speedUp },
);

const share = real(0, 1);

/** A standard error is at most √½, of two questions with one right answer. */
export const taskResult: Schema<TaskResult> = object({
  ...{ task: name, items: whole(1, most.questions), accuracy: share, accuracyNorm: share, standardError: share },
  ...{ hash: name, device: deviceLabel, milliseconds: amount },
});

/** Earlier versions knew no parents and no recipes: a variant was what its plan left of the base. */
export const comparisonRow: Schema<ComparisonRow> = mapped(
  object(
    {
      ...{ variant: name, name: text(most.note), plan: pruningPlan, parameters: count, ratio: amount, layers: count },
      perplexity: dictionary(runtime, perplexityResult, runtimes.length),
      latency: list(latencyResult, 0, most.latencies),
    },
    {
      ...{ parent: orNull(name), recipe, patchBytes: count, patchLost: oneOf([true]), countsOnly: oneOf([true]) },
      ...{ tasks: list(taskResult, 0, most.tasks), training: curvesSchema },
    },
  ),
  ({ parent, recipe: steps, patchBytes = 0, ...row }) => ({
    ...row,
    parent: row.variant === 'base' ? null : (parent ?? 'base'),
    recipe: steps ?? recipeOf(row.plan),
    patchBytes,
  }),
);

/** Rows of a comparison, as many as the laboratory lists. */
export const comparisonRows = list(comparisonRow, 0, most.rows);
