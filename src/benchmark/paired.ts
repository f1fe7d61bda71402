/**
 * @file Two sessions timed alternately, so that their ratio is measured and not inferred: whatever the machine does
 * meanwhile (it warms up, it is busy, it saves power) it does to both runs of a pair.
 *
 * The order within a pair alternates (ABBA), so that a steady drift, which always favours the same place, cancels too.
 * The ratio is the geometric mean of the pairs' ratios, with the interval of Student's t on their logarithms; paired
 * runs and intervals of ratios are what Kalibera & Jones 2013 (Rigorous Benchmarking in Reasonable Time) ask of a
 * speed-up.
 */
import { LabError } from '../errors';
import { pairedRatio, type Ratio } from '../numerics/pairedRatio';
import {
  type LatencyCounts,
  type LatencyMeasurement,
  type LatencyOptions,
  latencyCounts,
  openTrack,
  type RunTimes,
  type Track,
  tokensOf,
} from './latency';
import type { OrtSession } from './session';

/** Has a session open while `work` runs. */
export type WithSession = <T>(work: (session: OrtSession) => Promise<T>) => Promise<T>;

export interface PairedMeasurement {
  /** Of the one that the other is compared with. */
  readonly reference: LatencyMeasurement;
  readonly measured: LatencyMeasurement;
  /** reference / measured, of whole generations: above 1 where `measured` is faster. */
  readonly latency: Ratio;
  /** The same of the time per decoded token; null where nothing is decoded, or in less time than the clock tells. */
  readonly decode: Ratio | null;
  readonly pairs: number;
  /** False where both did not fit into memory side by side: then the reference ran before and behind the other. */
  readonly inTurns: boolean;
}

/** By batch size: runs of the reference and of the other, run by run a pair. */
interface Times {
  readonly reference: RunTimes[];
  readonly measured: RunTimes[];
}
type Side = keyof Times;

/** Which of a pair runs first: the one, the other, the other, the one. */
export const orderOfPair = (pair: number): readonly [Side, Side] =>
  pair % 2 === 0 ? ['reference', 'measured'] : ['measured', 'reference'];

/** Measures every batch size: warm-ups of both, then `runs` pairs of generations. */
export async function measurePaired(
  reference: WithSession,
  measured: WithSession,
  options: LatencyOptions = {},
): Promise<PairedMeasurement[]> {
  const counts = latencyCounts(options);
  if (counts.runs < 2) {
    throw new LabError(
      'bad-argument',
      `latency: a speed-up needs at least 2 runs, got ${counts.runs}.`,
      'Use more runs, for example ten.',
    );
  }
  try {
    return await reference((one) => measured((other) => inTurns(one, other, counts, options)));
  } catch (thrown) {
    if (!(thrown instanceof LabError && thrown.code === 'out-of-memory')) throw thrown;
    return await inBlocks(reference, measured, counts, options);
  }
}

/** A function that counts a token of each of `batch` sequences, of both sessions. */
function progressOf(counts: LatencyCounts, { onProgress }: LatencyOptions, rounds = 2) {
  const total = rounds * tokensOf(counts);
  let done = 0;
  return (batch: number, stage: string) => () => {
    done = Math.min(total, done + batch);
    onProgress?.({ stage, done, total, unit: 'tokens' });
  };
}

async function inTurns(
  one: OrtSession,
  other: OrtSession,
  counts: LatencyCounts,
  options: LatencyOptions,
): Promise<PairedMeasurement[]> {
  const { warmups, runs } = counts;
  const step = progressOf(counts, options);
  const results: PairedMeasurement[] = [];
  for (const batch of counts.batchSizes) {
    const open: Track[] = [];
    try {
      for (const session of [one, other]) open.push(await openTrack(session, batch, counts, options.signal));
      const tracks = { reference: open[0]!, measured: open[1]! };
      const times: Times = { reference: [], measured: [] };
      for (let pair = 0; pair < warmups + runs; pair++) {
        const warm = pair < warmups;
        // Counted from the first timed pair on: an even number of them has as many of either order.
        for (const side of orderOfPair(warm ? pair : pair - warmups)) {
          const run = await tracks[side].run(step(batch, warm ? 'Warming up' : 'Latency, alternating runs'));
          if (!warm) times[side].push(run);
        }
      }
      results.push({
        reference: tracks.reference.summarize(times.reference),
        measured: tracks.measured.summarize(times.measured),
        ...ratiosOf(times, batch),
        inTurns: true,
      });
    } finally {
      for (const track of open) track.dispose();
    }
  }
  return results;
}

/**
 * Where only one session fits at a time: half of the reference's runs, all of the other's, the reference's other half. A
 * steady drift then still cancels between the halves, what comes and goes within minutes does not.
 */
async function inBlocks(
  reference: WithSession,
  measured: WithSession,
  counts: LatencyCounts,
  options: LatencyOptions,
): Promise<PairedMeasurement[]> {
  const { batchSizes, warmups, runs } = counts;
  const half = Math.ceil(runs / 2);
  const step = progressOf(counts, options);
  const times = batchSizes.map((): Times => ({ reference: [], measured: [] }));
  const summaries = batchSizes.map((): { [side in Side]?: LatencyMeasurement } => ({}));
  const block = (side: Side, count: number) => async (session: OrtSession) => {
    for (const [index, batch] of batchSizes.entries()) {
      const track = await openTrack(session, batch, counts, options.signal);
      try {
        for (let run = 0; run < warmups; run++) await track.run(step(batch, 'Warming up'));
        const own = times[index]![side];
        for (let run = 0; run < count; run++) own.push(await track.run(step(batch, 'Latency')));
        summaries[index]![side] = track.summarize(own);
      } finally {
        track.dispose();
      }
    }
  };
  await reference(block('reference', half));
  await measured(block('measured', runs));
  if (half < runs) await reference(block('reference', runs - half));
  return batchSizes.map((batch, index) => ({
    reference: summaries[index]!.reference!,
    measured: summaries[index]!.measured!,
    ...ratiosOf(times[index]!, batch),
    inTurns: false,
  }));
}

function ratiosOf(
  { reference, measured }: Times,
  batch: number,
): Pick<PairedMeasurement, 'latency' | 'decode' | 'pairs'> {
  const whole = (runs: readonly RunTimes[]): number[] => runs.map(({ latencyMs }) => latencyMs);
  const decoded = (runs: readonly RunTimes[]): number[] =>
    runs.map(({ latencyMs, prefillMs }) => latencyMs - prefillMs);
  const isTold = (...times: number[][]): boolean => times.flat().every((time) => time > 0);
  if (!isTold(whole(reference), whole(measured))) {
    throw new LabError(
      'runtime',
      `latency: a generation of batch ${batch} was too short for this browser's clock.`,
      'Use more new tokens.',
    );
  }
  const [above, below] = [decoded(reference), decoded(measured)];
  return {
    latency: pairedRatio(whole(reference), whole(measured)),
    decode: isTold(above, below) ? pairedRatio(above, below) : null,
    pairs: reference.length,
  };
}
