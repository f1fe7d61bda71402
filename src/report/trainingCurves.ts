/** @file The curves of the training that made a variant, thinned to few points. */
import { list, object, type Schema } from '../io/schema';
import type { HeldOut, TrainingStep } from '../retrain/train';
import { amount, amountOrInfinity, count } from './fields';
import { type TextInfo, textInfo } from './texts';

export interface LossPoint {
  /** Counts from 1. */
  readonly step: number;
  /** Mean loss of the step's batch, before its update. */
  readonly loss: number;
}

export interface HeldOutPoint {
  /** Steps made before it. */
  readonly step: number;
  readonly perplexity: number;
}

/** Points are those of single steps, not means: thinning leaves points out and changes none. */
export interface TrainingCurves {
  readonly losses: readonly LossPoint[];
  readonly evaluations: readonly HeldOutPoint[];
  /** What the held-out perplexities were measured on. */
  readonly heldOut?: TextInfo;
}

/** Points of both curves together. */
export const mostCurvePoints = 64;
const mostEvaluations = 16;

/** The first and the last of a list, and evenly spaced ones between. */
export function spacedPoints<T>(points: readonly T[], most: number): T[] {
  if (points.length <= most) return [...points];
  return Array.from({ length: most }, (_, at) => points[Math.round((at * (points.length - 1)) / (most - 1))]!);
}

/** The curves of a training for its variant's row. */
export function trainingCurves(
  training: { readonly losses: readonly TrainingStep[]; readonly evaluations: readonly HeldOut[] },
  heldOut?: TextInfo,
): TrainingCurves {
  const evaluations = spacedPoints(training.evaluations, mostEvaluations);
  const losses = spacedPoints(training.losses, mostCurvePoints - evaluations.length);
  return {
    losses: losses.map(({ step, loss }) => ({ step, loss })),
    evaluations: evaluations.map(({ step, perplexity }) => ({ step, perplexity })),
    ...(heldOut && { heldOut }),
  };
}

/** Fewer points than a record holds. */
export function thinnedCurves(curves: TrainingCurves, losses: number, evaluations: number): TrainingCurves {
  if (curves.losses.length <= losses && curves.evaluations.length <= evaluations) return curves;
  return {
    ...curves,
    losses: spacedPoints(curves.losses, losses),
    evaluations: spacedPoints(curves.evaluations, evaluations),
  };
}

/** More points than this version writes: another one may write more. */
const mostPoints = 1000;

export const curvesSchema: Schema<TrainingCurves> = object(
  {
    losses: list(object({ step: count, loss: amount }), 0, mostPoints),
    evaluations: list(object({ step: count, perplexity: amountOrInfinity }), 0, mostPoints),
  },
  { heldOut: textInfo },
);
