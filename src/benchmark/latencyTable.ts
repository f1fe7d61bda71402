/**
 * @file How long each part of a model takes for one decoded token on this device and runtime: measured on a few cuts of the open
 * model, as a sum over its blocks, so that the time of any other cut can be predicted.
 *
 * ms per token = outside + Σ over blocks (attention(channels) + mlp(neurons)). Each of the two functions is a step for being there
 * and a line with one bend, none of which falls: fitted by least squares of the relative errors with non-negative coefficients.
 */

import { LabError } from '../errors';
import { whyHeadsStay } from '../model/headStructures';
import type { LayerShape, ModelShape } from '../model/shape';
import { nonNegativeLeastSquares } from '../numerics/nonNegativeLeastSquares';
import { median, standardDeviation } from '../numerics/statistics';
import { type BlockSizes, neuronStep, shapeOfSizes, sizesOf } from '../pruning/budget/sizes';
import { type LatencyOptions, latencyCounts, type RunTimes } from './latency';
import { measureRounds, type Rounds, type WithSession } from './rounds';

/** ms of a sub-block of some width: presence + low · min(width, bend) + high · max(width − bend, 0); 0 where it is missing. */
export interface WidthCost {
  readonly presence: number;
  readonly low: number;
  readonly high: number;
  readonly bend: number;
}

/** A cut of the model that was timed. */
export interface TablePoint {
  readonly name: string;
  /** ms per decoded token: the median over the rounds, after the machine's drift from round to round was divided out. */
  readonly measured: number;
  /** What the table says. */
  readonly fitted: number;
  /** Standard deviation over the rounds, as a share of `measured`. */
  readonly spread: number;
}

export interface LatencyTable {
  /** ms per token outside the blocks: embedding, head, and what a run costs by itself. */
  readonly outside: number;
  /** By channels of the projections: (heads + kvHeads) · headDim. */
  readonly attention: WidthCost;
  /** By neurons. */
  readonly mlp: WidthCost;
  /** The whole model comes first. */
  readonly points: readonly TablePoint[];
  /** Root of the mean square of (fitted − measured) / measured. */
  readonly residual: number;
  /** The largest spread of a point. */
  readonly spread: number;
  /** False where not all cuts fit into memory side by side. */
  readonly inTurns: boolean;
}

/** How much the relative error of the whole model counts, beside 1 for each other cut. */
const wholeWeight = 3;

/** A cut to measure: what stays of each block of the base. */
export interface TableCut {
  readonly name: string;
  readonly sizes: readonly BlockSizes[];
}

const channelsOf = ({ heads, kvHeads, headDim }: LayerShape): number => (heads + kvHeads) * headDim;

/** Where the lines of a model bend: at half of its largest width. */
function bendsOf({ layers }: ModelShape): { attention: number; mlp: number } {
  return {
    attention: Math.max(...layers.map(channelsOf)) / 2,
    mlp: Math.max(...layers.map(({ ffn }) => ffn)) / 2,
  };
}

const parts = (width: number, bend: number): number[] =>
  width === 0 ? [0, 0, 0] : [1, Math.min(width, bend), Math.max(width - bend, 0)];

function costOf({ presence, low, high, bend }: WidthCost, width: number): number {
  const [there, below, above] = parts(width, bend) as [number, number, number];
  return presence * there + low * below + high * above;
}

/** ms per token that a block takes. */
export function blockMs({ attention, mlp }: Pick<LatencyTable, 'attention' | 'mlp'>, layer: LayerShape): number {
  return costOf(attention, channelsOf(layer)) + costOf(mlp, layer.ffn);
}

/** ms per token that a model takes. */
export function modelMs(table: Pick<LatencyTable, 'outside' | 'attention' | 'mlp'>, { layers }: ModelShape): number {
  return layers.reduce((sum, layer) => sum + blockMs(table, layer), table.outside);
}

/**
 * At most ten cuts whose times tell the parts apart: the whole model; its first blocks, and half of these; these without
 * MLPs, without attentions, with half and a quarter of the groups and of the neurons, and with half of both.
 * @param fits whether models of these shapes fit into memory side by side: the cuts have as many blocks as do
 */
export function tableCuts(base: ModelShape, fits: (shapes: readonly ModelShape[]) => boolean): TableCut[] {
  const whole = { name: 'whole model', sizes: base.layers.map(sizesOf) };
  const { length } = base.layers;
  for (let blocks = length; ; blocks = Math.ceil(blocks / 2)) {
    const cuts = [whole, ...cutsOf(base, blocks)];
    if (blocks <= 2 || fits(cuts.map(({ sizes }) => shapeOfSizes(base, sizes)))) return cuts;
  }
}

/** The cuts with the first `blocks` blocks. */
function cutsOf(base: ModelShape, blocks: number): TableCut[] {
  const gone: BlockSizes = { groups: 0, ffn: 0 };
  const named = (name: string, resized: (layer: LayerShape) => BlockSizes, count = blocks): TableCut => ({
    name: `${name}${blocks < base.layers.length || count < blocks ? `, ${count} of ${base.layers.length} blocks` : ''}`,
    sizes: base.layers.map((layer, index) => (index < count ? resized(layer) : gone)),
  });
  const groups = (share: number) => (layer: LayerShape) => {
    const { kvHeads } = layer;
    return whyHeadsStay(layer) === null && kvHeads > 0 ? Math.max(1, Math.round(kvHeads * share)) : kvHeads;
  };
  const neurons =
    (share: number) =>
    ({ ffn }: LayerShape) => {
      const step = neuronStep(ffn);
      return ffn === 0 ? 0 : Math.min(ffn, Math.max(step, Math.round((ffn * share) / step) * step));
    };
  const cuts = [
    named('all', sizesOf),
    named('all', sizesOf, Math.max(1, Math.floor(blocks / 2))),
    named('without MLPs', ({ kvHeads }) => ({ groups: kvHeads, ffn: 0 })),
    named('without attentions', ({ ffn }) => ({ groups: 0, ffn })),
    ...[0.5, 0.25].map((share) =>
      named(`${100 * share} % of the heads`, (layer) => ({ groups: groups(share)(layer), ffn: layer.ffn })),
    ),
    ...[0.5, 0.25].map((share) =>
      named(`${100 * share} % of the neurons`, (layer) => ({ groups: layer.kvHeads, ffn: neurons(share)(layer) })),
    ),
    named('half of both', (layer) => ({ groups: groups(0.5)(layer), ffn: neurons(0.5)(layer) })),
  ];
  // A model of few heads, or without a sub-block, has some cuts twice; one of no blocks cannot run.
  const key = ({ sizes }: TableCut) => JSON.stringify(sizes);
  const seen = new Set([JSON.stringify(base.layers.map(sizesOf))]);
  return cuts.filter((cut) => {
    const isNew = !seen.has(key(cut)) && cut.sizes.some(({ groups: kept, ffn }) => kept > 0 || ffn > 0);
    seen.add(key(cut));
    return isNew;
  });
}

/** A cut with its times. */
export interface TimedCut {
  readonly name: string;
  readonly shape: ModelShape;
  readonly milliseconds: number;
  readonly spread: number;
}

/** Fits the table to measured times; the whole model's come first. */
export function fitLatencyTable(cuts: readonly TimedCut[], inTurns = true): LatencyTable {
  const [base] = cuts;
  if (base === undefined) throw new RangeError('fitLatencyTable: expected at least one cut');
  const bends = bendsOf(base.shape);
  const features = ({ layers }: ModelShape): number[] => {
    const sums = layers.map((layer) => [...parts(channelsOf(layer), bends.attention), ...parts(layer.ffn, bends.mlp)]);
    return [1, ...Array.from({ length: 6 }, (_, at) => sums.reduce((sum, row) => sum + row[at]!, 0))];
  };
  // Every prediction is compared with the whole model: its own time is to be met best.
  const weight = (at: number) => (at === 0 ? wholeWeight : 1);
  const rows = cuts.map(({ shape, milliseconds }, at) =>
    features(shape).map((value) => (weight(at) * value) / milliseconds),
  );
  const x = nonNegativeLeastSquares(
    rows,
    cuts.map((_, at) => weight(at)),
  );
  const width = (first: number, bend: number): WidthCost => ({
    presence: x[first]!,
    low: x[first + 1]!,
    high: x[first + 2]!,
    bend,
  });
  const table = { outside: x[0]!, attention: width(1, bends.attention), mlp: width(4, bends.mlp) };
  const points = cuts.map(({ name, shape, milliseconds, spread }) => ({
    name,
    measured: milliseconds,
    fitted: modelMs(table, shape),
    spread,
  }));
  const errors = points.map(({ measured, fitted }) => (fitted - measured) / measured);
  const residual = Math.sqrt(errors.reduce((sum, error) => sum + error * error, 0) / errors.length);
  return { ...table, points, residual, spread: Math.max(...points.map(({ spread }) => spread)), inTurns };
}

/** Of each session: ms per decoded token, and their deviation. What slows a whole round slows all sessions alike. */
export function steadied(times: readonly (readonly RunTimes[])[], newTokens: number, inTurns: boolean) {
  const decode = times.map((runs) => runs.map(({ latencyMs, prefillMs }) => (latencyMs - prefillMs) / (newTokens - 1)));
  const medians = decode.map((runs) => median(runs));
  if (medians.some((time) => !(time > 0))) {
    throw new LabError(
      'runtime',
      "The latency table: a decoded token took less than this browser's clock tells.",
      'Use a larger model, or a budget of parameters (ratio).',
    );
  }
  const rounds = Math.min(...decode.map(({ length }) => length));
  const slowness = Array.from({ length: rounds }, (_, round) =>
    inTurns ? decode.reduce((sum, runs, at) => sum + runs[round]! / medians[at]!, 0) / decode.length : 1,
  );
  return decode.map((runs) => {
    const steady = slowness.map((slow, round) => runs[round]! / slow);
    const milliseconds = median(steady);
    return { milliseconds, spread: standardDeviation(steady) / milliseconds };
  });
}

/** Measures the cuts in rounds and fits the table. `sessions` has one for each cut. */
export async function measureLatencyTable(
  cuts: readonly { readonly name: string; readonly shape: ModelShape }[],
  sessions: readonly WithSession[],
  options: LatencyOptions & { sideBySide?: boolean } = {},
): Promise<LatencyTable> {
  const { newTokens } = latencyCounts(options);
  const { batches, inTurns }: Rounds = await measureRounds(sessions, { ...options, batchSizes: [1] });
  const steady = steadied(
    batches[0]!.map(({ times }) => times),
    newTokens,
    inTurns,
  );
  return fitLatencyTable(
    cuts.map(({ name, shape }, at) => ({ name, shape, ...steady[at]! })),
    inTurns,
  );
}
