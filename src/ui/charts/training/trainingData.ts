/** @file A training's losses and held-out perplexities as lines, marks, axes and a table. Pure. */
import type { TrainingInfo } from '../../../lab/contract/retraining';
import type { TrainingCurves } from '../../../report/trainingCurves';
import { integer, perplexity, significant } from '../../parts/format';
import type { ChartTable } from '../frame/tableTwin';
import { linearAxis, logAxis } from '../ticks';

/** A training that runs, or ran. */
export type TrainingRun = Pick<TrainingInfo, 'request' | 'losses' | 'evaluations' | 'steps'>;

/** Perplexities that lines across the chart show. */
export interface References {
  /** Of the original model on the held-out text; null where it is not known. */
  readonly base: number | null;
  /** Of the variant before its first step. */
  readonly before: number | null;
}

export interface LossPoint {
  readonly step: number;
  readonly loss: number;
  /** Running mean of the losses. */
  readonly smooth: number;
}

/** Running mean with exponential weights: those of about `span` steps count. Weights of the first steps are corrected to a sum of 1. */
export function lossPoints(losses: TrainingRun['losses'], span: number): LossPoint[] {
  const keep = 1 - 1 / Math.max(1, span);
  let [sum, weight] = [0, 0];
  return losses.flatMap(({ step, loss }) => {
    if (!Number.isFinite(loss)) return [];
    sum = keep * sum + (1 - keep) * loss;
    weight = keep * weight + (1 - keep);
    return [{ step, loss, smooth: weight > 0 ? sum / weight : loss }];
  });
}

/** Steps whose losses a running mean covers: a twentieth of the training. */
export const spanOf = (steps: number): number => Math.max(3, Math.round(steps / 20));

/**
 * Whether the loss of the training is the mean negative log-likelihood, so that its exponential is a perplexity: both axes then show
 * the same heights. The loss of a distillation is another quantity.
 */
export const isLikelihood = ({ request }: Pick<TrainingRun, 'request'>): boolean => request.method !== 'distill';

interface Axis {
  readonly domain: [number, number];
  readonly ticks: number[];
}

export interface TrainingAxes {
  readonly step: Axis;
  /** Nats per token. */
  readonly loss: Axis;
  /** Logarithmic. */
  readonly perplexity: Axis;
}

export function trainingAxes(run: TrainingRun, points: readonly LossPoint[], references: References): TrainingAxes {
  const perplexities = [...run.evaluations.map((each) => each.perplexity), references.base, references.before].filter(
    (value) => value !== null && value > 0 && Number.isFinite(value),
  ) as number[];
  const losses = shownLosses(points);
  const step = stepAxis(run.steps);
  if (!isLikelihood(run)) {
    return { step, loss: tight(losses.length > 0 ? losses : [0, 1]), perplexity: logAxis(perplexities) };
  }
  const nats = [...losses, ...perplexities.map(Math.log)];
  const loss = tight(nats.length > 0 ? nats : [0, 1]);
  const ends = loss.domain.map(Math.exp) as [number, number];
  const ticks = logAxis(ends).ticks.filter((tick) => tick >= ends[0] && tick <= ends[1]);
  return { step, loss, perplexity: { domain: ends, ticks } };
}

/** All means, and the single losses except the largest hundredth: a spike would flatten the rest. */
function shownLosses(points: readonly LossPoint[]): number[] {
  const single = points.map(({ loss }) => loss).sort((a, b) => a - b);
  return [...points.map(({ smooth }) => smooth), ...single.slice(0, Math.ceil(single.length * 0.99))];
}

/** Close around the values, with four to nine round ticks. */
function tight(values: readonly number[]): Axis {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const margin = Math.max((high - low) * 0.06, 0.02);
  const domain: [number, number] = [low - margin, high + margin];
  const size = tickSize(domain[1] - domain[0]);
  const first = Math.ceil(domain[0] / size - 1e-9);
  const count = Math.floor(domain[1] / size + 1e-9) - first + 1;
  const ticks = Array.from({ length: Math.max(0, count) }, (_, index) =>
    Number(((first + index) * size).toPrecision(10)),
  );
  return { domain, ticks };
}

/** The largest of 1, 2 and 5 times a power of ten that is at most a fourth of the range. */
function tickSize(range: number): number {
  const power = 10 ** Math.floor(Math.log10(range / 4));
  return [5, 2, 1].map((m) => m * power).find((size) => size <= range / 4) ?? power;
}

function stepAxis(steps: number): Axis {
  const end = Math.max(1, steps);
  const { ticks } = linearAxis([end]);
  return { domain: [0, end], ticks: ticks.filter((tick) => tick <= end && Number.isInteger(tick)) };
}

/** One row for each evaluation, with the mean of the losses since the one before. */
export function trainingTable({ losses, evaluations, request }: TrainingRun): ChartTable {
  let before = 0;
  return {
    head: ['after step', 'mean training loss since the row above', 'learning rate', 'held-out perplexity'],
    rows: evaluations.map(({ step, perplexity: value }) => {
      const since = losses.filter((each) => each.step > before && each.step <= step);
      before = step;
      const mean = since.reduce((sum, { loss }) => sum + loss, 0) / since.length;
      return {
        key: String(step),
        cells: [
          integer(step),
          since.length === 0 ? '–' : significant(mean),
          since.length === 0 ? significant(request.learningRate) : significant(since.at(-1)!.learningRate),
          perplexity(value),
        ],
      };
    }),
  };
}

/** Every point of curves that were thinned when they were stored: a mean of them would be one of few steps. */
export function curvesTable({ losses, evaluations }: TrainingCurves): ChartTable {
  const steps = [...new Set([...losses, ...evaluations].map(({ step }) => step))].sort((a, b) => a - b);
  const loss = new Map(losses.map((point) => [point.step, point.loss]));
  const heldOut = new Map(evaluations.map((point) => [point.step, point.perplexity]));
  const cell = (value: number | undefined, words: (value: number) => string): string =>
    value === undefined ? '–' : words(value);
  return {
    head: ['step', 'loss of the step', 'held-out perplexity after it'],
    rows: steps.map((step) => ({
      key: String(step),
      cells: [integer(step), cell(loss.get(step), significant), cell(heldOut.get(step), perplexity)],
    })),
  };
}
