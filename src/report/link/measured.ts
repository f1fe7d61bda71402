/**
 * @file Perplexities and latencies of all variants as places of a link: those that were measured in one way stand in one group, a
 * column for each number.
 */
import type { Ratio } from '../../numerics/pairedRatio';
import type { GraphPrecision } from '../../onnx/graph';
import { most } from '../fields';
import type { ComparisonRow, LatencyResult, PerplexityResult, Runtime, SpeedUp } from '../results';
import {
  type Codec,
  choice,
  column,
  figures,
  flag,
  type Json,
  optional,
  type Reader,
  rounded,
  trimmed,
  tuple,
  type Writer,
  whole,
} from './codec';
import { groupsOf, placesOf, readPlaces } from './groups';
import { costDigits } from './scores';
import { evaluation, label } from './texts';

const runtime = choice<Runtime>(['wgsl', 'ort-webgpu', 'ort-wasm']);
const precision = choice<GraphPrecision>(['f32', 'f16-weights', 'f16']);
/** Rows of a comparison, and timings of them all. */
const mostValues = most.latencies * 10;

/** An id: 0 for the base, n for 'vn', any other as text. */
export const variantId: Codec<string> = {
  write(id) {
    if (id === 'base') return 0;
    return /^v[1-9]\d{0,8}$/.test(id) ? Number(id.slice(1)) : id;
  },
  read(json, from) {
    if (typeof json !== 'number') return from.text(json);
    return json === 0 ? 'base' : `v${from.whole(json)}`;
  },
};

const perplexityDigits = 5;
const lossDigits = 6;
const digits = 4;
const reachDigits = 3;
const perplexityColumn = figures(perplexityDigits, mostValues);
const costColumn = figures(costDigits, mostValues);
const numberColumn = figures(digits, mostValues);
const reachColumn = figures(reachDigits, mostValues);

type PerplexitySetting = Pick<PerplexityResult, 'runtime' | 'text' | 'device' | 'precision'> & {
  /** Absent where every token but the first of each sequence is predicted. */
  readonly tokens?: number;
};

const perplexitySetting: Codec<PerplexitySetting> = tuple<PerplexitySetting>({
  ...{ runtime, text: evaluation, device: label, precision: optional(precision), tokens: optional(whole) },
});

function settingOf({ runtime, text, device, precision, tokens }: PerplexityResult): PerplexitySetting {
  const usual = tokens === text.sequences * (text.seqLen - 1);
  return { runtime, text, device, ...(precision && { precision }), ...(usual ? {} : { tokens }) };
}

const lossOf = (perplexity: number): number => rounded(Math.log(rounded(perplexity, perplexityDigits)), lossDigits);

/** Whether the loss is the logarithm of the perplexity, as far as the link tells them. */
function follows({ meanNll, perplexity }: PerplexityResult): boolean {
  const told = lossOf(perplexity);
  return Object.is(meanNll, told) || Math.abs(meanNll - told) <= 2e-4 * Math.abs(meanNll);
}

function writePerplexities(rows: readonly ComparisonRow[], to: Writer): Json {
  const values = rows.flatMap(({ perplexity }, row) => Object.values(perplexity).map((value) => ({ row, value })));
  const keyOf = (value: PerplexityResult): string =>
    JSON.stringify([perplexitySetting.write(settingOf(value), to), follows(value)]);
  return groupsOf(values, keyOf).map((group) => {
    const results = group.map(({ value }) => value);
    const setting = perplexitySetting.write(settingOf(results[0]!), to);
    return trimmed([
      setting,
      placesOf(group, to),
      perplexityColumn.write(
        results.map(({ perplexity }) => perplexity),
        to,
      ),
      costColumn.write(
        results.map(({ milliseconds }) => milliseconds),
        to,
      ),
      follows(results[0]!)
        ? 0
        : perplexityColumn.write(
            results.map(({ meanNll }) => meanNll),
            to,
          ),
    ]);
  });
}

type Perplexities = Partial<Record<Runtime, PerplexityResult>>;

function readPerplexities(json: Json, rows: number, from: Reader): Perplexities[] {
  const found: Perplexities[] = Array.from({ length: rows }, () => ({}));
  for (const group of from.list(json, mostValues)) {
    const [written = 0, where = 0, values = 0, costs = 0, losses = 0] = from.list(group, 5);
    const { tokens, ...setting } = perplexitySetting.read(written, from);
    const places = readPlaces(where, rows, from);
    const { length } = places;
    const perplexities = column(perplexityColumn, values, length, from);
    const milliseconds = column(costColumn, costs, length, from);
    const told = losses === 0 ? null : column(perplexityColumn, losses, length, from);
    const predicted = tokens ?? setting.text.sequences * (setting.text.seqLen - 1);
    from.spend(16 * length);
    places.forEach((place, at) => {
      const results = found[place]!;
      if (Object.hasOwn(results, setting.runtime)) throw from.misfit('one perplexity of each runtime');
      const perplexity = perplexities[at]!;
      results[setting.runtime] = {
        ...{ ...setting, perplexity, meanNll: told?.[at] ?? lossOf(perplexity) },
        ...{ milliseconds: milliseconds[at]!, tokens: predicted },
      };
    });
  }
  return found;
}

type LatencySetting = Pick<
  LatencyResult,
  'runtime' | 'batch' | 'promptTokens' | 'newTokens' | 'runs' | 'warmups' | 'device' | 'precision'
>;

const latencySetting: Codec<LatencySetting> = tuple<LatencySetting>({
  ...{ runtime, batch: whole, promptTokens: whole, newTokens: whole, runs: whole, warmups: whole },
  ...{ device: label, precision: optional(precision) },
});

/** Columns of numbers, in the order of their places. */
const timeFields = ['prefillMs', 'decodeMsPerToken', 'latencyMs', 'spread', 'peakBytes'] as const;

/** Tokens per second of so many milliseconds. */
const throughputOf = ({ batch, newTokens }: LatencySetting, latencyMs: number): number =>
  rounded((batch * newTokens * 1000) / rounded(latencyMs, digits), digits);

const followsThroughput = (result: LatencyResult): boolean =>
  Math.abs(result.throughput / throughputOf(result, result.latencyMs) - 1) < 1e-3;

type Pairing = Pick<SpeedUp, 'against' | 'pairs' | 'inTurns'>;
const pairing: Codec<Pairing> = tuple<Pairing>({ against: variantId, pairs: whole, inTurns: flag });

/** Half the width of an interval on the logarithmic scale, where the ratio lies in its middle there; else NaN. */
function reachOf({ ratio, low, high }: Ratio): number {
  const middle = (low * high) / ratio ** 2;
  return Math.abs(Math.log(middle)) < 1e-6 ? Math.log(high / low) / 2 : Number.NaN;
}

/** The ratios, and how far their intervals reach or both ends of them. */
function writeRatios(ratios: readonly Ratio[], to: Writer): Json {
  const reaches = ratios.map(reachOf);
  const write = (field: keyof Ratio): Json =>
    numberColumn.write(
      ratios.map((ratio) => ratio[field]),
      to,
    );
  return reaches.some(Number.isNaN)
    ? [write('ratio'), write('low'), write('high')]
    : [write('ratio'), reachColumn.write(reaches, to)];
}

function readRatios(json: Json, count: number, from: Reader): Ratio[] {
  const columns = from.list(json, 3);
  const [ratios = 0, lows = 0, highs = 0] = columns;
  const middle = column(numberColumn, ratios, count, from);
  if (columns.length === 3) {
    const [low, high] = [column(numberColumn, lows, count, from), column(numberColumn, highs, count, from)];
    return middle.map((ratio, at) => ({ ratio, low: low[at]!, high: high[at]! }));
  }
  const reaches = column(reachColumn, lows, count, from);
  return middle.map((ratio, at) => ({
    ratio,
    low: ratio * Math.exp(-reaches[at]!),
    high: ratio * Math.exp(reaches[at]!),
  }));
}

/** Speed-ups of one pairing, by their places in a group: that pairing, the places, the ratios, and those of decoding or 0. */
function writeSpeedUps(results: readonly LatencyResult[], to: Writer): Json {
  const values = results.flatMap(({ speedUp }, row) => (speedUp ? [{ row, value: speedUp }] : []));
  const keyOf = (value: SpeedUp): string => JSON.stringify([pairing.write(value, to), value.decode === null]);
  return groupsOf(values, keyOf).map((group) => {
    const speedUps = group.map(({ value }) => value);
    const decoded = speedUps.flatMap(({ decode }) => decode ?? []);
    return trimmed([
      ...[pairing.write(speedUps[0]!, to), placesOf(group, to), writeRatios(speedUps, to)],
      decoded.length > 0 ? writeRatios(decoded, to) : 0,
    ]);
  });
}

function readSpeedUps(json: Json, count: number, from: Reader): ReadonlyMap<number, SpeedUp> {
  const found = new Map<number, SpeedUp>();
  for (const group of from.list(json, mostValues)) {
    const [pair = 0, where = 0, ratios = 0, decoded = 0] = from.list(group, 4);
    const paired = pairing.read(pair, from);
    const places = readPlaces(where, count, from);
    const speedUps = readRatios(ratios, places.length, from);
    const decodes = decoded === 0 ? null : readRatios(decoded, places.length, from);
    places.forEach((place, at) => {
      found.set(place, { ...speedUps[at]!, ...paired, decode: decodes?.[at] ?? null });
    });
  }
  return found;
}

function writeLatencies(rows: readonly ComparisonRow[], to: Writer): Json {
  const values = rows.flatMap(({ latency }, row) => latency.map((value) => ({ row, value })));
  const keyOf = (value: LatencyResult): string =>
    JSON.stringify([latencySetting.write(value, to), followsThroughput(value)]);
  return groupsOf(values, keyOf).map((group) => {
    const results = group.map(({ value }) => value);
    const [first] = results as [LatencyResult];
    const columns = timeFields.flatMap((field) => results.map((result) => result[field]));
    return trimmed([
      ...[latencySetting.write(first, to), placesOf(group, to), numberColumn.write(columns, to)],
      writeSpeedUps(results, to),
      followsThroughput(first)
        ? 0
        : numberColumn.write(
            results.map(({ throughput }) => throughput),
            to,
          ),
    ]);
  });
}

function readLatencies(json: Json, rows: number, from: Reader): LatencyResult[][] {
  const found: LatencyResult[][] = Array.from({ length: rows }, () => []);
  for (const group of from.list(json, mostValues)) {
    const [written = 0, where = 0, times = 0, pairs = [], told = 0] = from.list(group, 5);
    const setting = latencySetting.read(written, from);
    const places = readPlaces(where, rows, from);
    const { length } = places;
    const numbers = column(numberColumn, times, timeFields.length * length, from);
    const throughputs = told === 0 ? null : column(numberColumn, told, length, from);
    const speedUps = readSpeedUps(pairs, length, from);
    from.spend(24 * length);
    places.forEach((place, at) => {
      const [prefillMs, decodeMsPerToken, latencyMs, spread, peakBytes] = timeFields.map(
        (_, field) => numbers[field * length + at]!,
      ) as [number, number, number, number, number];
      const speedUp = speedUps.get(at);
      found[place]!.push({
        ...{ ...setting, prefillMs, decodeMsPerToken, latencyMs, spread, peakBytes },
        throughput: throughputs?.[at] ?? throughputOf(setting, latencyMs),
        ...(speedUp ? { speedUp } : {}),
      });
    });
  }
  return found;
}

type Measured = Pick<ComparisonRow, 'perplexity' | 'latency'>;

/** What was measured of the rows, group by group. */
export function writeMeasured(rows: readonly ComparisonRow[], to: Writer): [perplexities: Json, latencies: Json] {
  return [writePerplexities(rows, to), writeLatencies(rows, to)];
}

/** What was measured of so many rows. */
export function readMeasured(perplexities: Json, latencies: Json, rows: number, from: Reader): Measured[] {
  const values = from.inside('perplexity', () => readPerplexities(perplexities, rows, from));
  const times = from.inside('latency', () => readLatencies(latencies, rows, from));
  return values.map((perplexity, at) => ({ perplexity, latency: times[at]! }));
}
