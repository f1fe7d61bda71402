/**
 * @file Two sessions timed alternately, so that their ratio is measured and not inferred: whatever the machine does
 * meanwhile (it warms up, it is busy, it saves power) it does to both runs of a pair.
 *
 * The order within a pair alternates (ABBA, `rounds.ts`), so that a steady drift, which always favours the same place, cancels
 * too. The ratio is the geometric mean of the pairs' ratios, with the interval of Student's t on their logarithms; paired
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
  type RunTimes,
} from './latency';
import { measureRounds, type WithSession } from './rounds';

export type { WithSession };

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

/** Measures every batch size: warm-ups of both, then `runs` pairs of generations. */
export async function measurePaired(
  reference: WithSession,
  measured: WithSession,
  options: LatencyOptions = {},
): Promise<PairedMeasurement[]> {
  const counts = refuseOneRun(options);
  const { batches, inTurns } = await measureRounds([reference, measured], options);
  return batches.map(([first, second], index) => ({
    reference: first!.measurement,
    measured: second!.measurement,
    ...ratiosOf(first!.times, second!.times, counts.batchSizes[index]!),
    inTurns,
  }));
}

/** The counts of a request for a speed-up. @throws LabError 'bad-argument' for a single run, which has no interval */
export function refuseOneRun(options: LatencyOptions): LatencyCounts {
  const counts = latencyCounts(options);
  if (counts.runs >= 2) return counts;
  const message = `latency: a speed-up needs at least 2 runs, got ${counts.runs}.`;
  throw new LabError('bad-argument', message, 'Use more runs, for example ten.');
}

/** What the times of a reference and of another session, run by run a pair, say together. */
export function ratiosOf(
  reference: readonly RunTimes[],
  measured: readonly RunTimes[],
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
