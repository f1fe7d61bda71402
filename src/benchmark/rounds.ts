/**
 * @file Several sessions timed in rounds: each round runs every session once, so that whatever the machine does meanwhile
 * (it warms up, it is busy, it saves power) it does to all of them.
 *
 * The order alternates between forward and backward, so that a steady drift, which always favours the same place, cancels; and it
 * begins with another session in every second round, so that none always follows the same one. Two sessions run as ABBA.
 */
import { LabError } from '../errors';
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

/** What one session took with one batch size. */
export interface TimedSession {
  readonly measurement: LatencyMeasurement;
  /** By round. */
  readonly times: readonly RunTimes[];
}

export interface Rounds {
  /** [batch size][session], in the order in which they were given. */
  readonly batches: readonly (readonly TimedSession[])[];
  /** False where not all fit into memory side by side: then each ran half of its runs, and the other half in reverse order. */
  readonly inTurns: boolean;
}

export interface RoundsOptions extends LatencyOptions {
  /** False: they do not fit into memory side by side. By default that is tried. */
  sideBySide?: boolean | undefined;
}

/** The order of the sessions in a round. */
export function orderOfRound(round: number, count: number): number[] {
  const first = Math.floor(round / 2) % Math.max(1, count);
  const order = Array.from({ length: count }, (_, place) => (first + place) % count);
  // Two sessions have only two orders: these alternate without another shift.
  if (count === 2) return round % 2 === 0 ? [0, 1] : [1, 0];
  return round % 2 === 0 ? order : order.reverse();
}

/** Measures every batch size: warm-ups of all sessions, then `runs` rounds. */
export async function measureRounds(sessions: readonly WithSession[], options: RoundsOptions = {}): Promise<Rounds> {
  const counts = latencyCounts(options);
  if (options.sideBySide === false) return inBlocks(sessions, counts, options);
  try {
    return await allOpen(sessions, [], (open) => inTurns(open, counts, options));
  } catch (thrown) {
    if (!(thrown instanceof LabError && thrown.code === 'out-of-memory')) throw thrown;
    return await inBlocks(sessions, counts, options);
  }
}

function allOpen<T>(
  [next, ...rest]: readonly WithSession[],
  open: readonly OrtSession[],
  work: (open: readonly OrtSession[]) => Promise<T>,
): Promise<T> {
  return next === undefined ? work(open) : next((session) => allOpen(rest, [...open, session], work));
}

/** A function that counts a token of each of `batch` sequences. */
function progressOf(sessions: number, counts: LatencyCounts, { onProgress }: LatencyOptions) {
  const total = sessions * tokensOf(counts);
  let done = 0;
  return (batch: number, stage: string) => () => {
    done = Math.min(total, done + batch);
    onProgress?.({ stage, done, total, unit: 'tokens' });
  };
}

async function inTurns(
  sessions: readonly OrtSession[],
  counts: LatencyCounts,
  options: LatencyOptions,
): Promise<Rounds> {
  const { warmups, runs } = counts;
  const step = progressOf(sessions.length, counts, options);
  const batches: TimedSession[][] = [];
  for (const batch of counts.batchSizes) {
    const tracks: Track[] = [];
    try {
      for (const session of sessions) tracks.push(await openTrack(session, batch, counts, options.signal));
      const times = sessions.map((): RunTimes[] => []);
      for (let round = 0; round < warmups + runs; round++) {
        const warm = round < warmups;
        // Counted from the first timed round on: an even number of them has as many of either direction.
        for (const index of orderOfRound(warm ? round : round - warmups, sessions.length)) {
          const run = await tracks[index]!.run(step(batch, warm ? 'Warming up' : 'Latency, alternating runs'));
          if (!warm) times[index]!.push(run);
        }
      }
      batches.push(
        tracks.map((track, index) => ({ measurement: track.summarize(times[index]!), times: times[index]! })),
      );
    } finally {
      for (const track of tracks) track.dispose();
    }
  }
  return { batches, inTurns: true };
}

/**
 * Where only one session fits at a time: half of the runs of each, then the other halves in reverse order; the last one runs once.
 * A steady drift then still cancels between the halves, what comes and goes within minutes does not.
 */
async function inBlocks(
  sessions: readonly WithSession[],
  counts: LatencyCounts,
  options: LatencyOptions,
): Promise<Rounds> {
  const { batchSizes, warmups, runs } = counts;
  const half = Math.ceil(runs / 2);
  const step = progressOf(sessions.length, counts, options);
  const times = batchSizes.map(() => sessions.map((): RunTimes[] => []));
  const measured = batchSizes.map(() => sessions.map((): LatencyMeasurement | null => null));
  const block = (index: number, count: number) =>
    sessions[index]!(async (session) => {
      for (const [at, batch] of batchSizes.entries()) {
        const track = await openTrack(session, batch, counts, options.signal);
        try {
          for (let run = 0; run < warmups; run++) await track.run(step(batch, 'Warming up'));
          const own = times[at]![index]!;
          for (let run = 0; run < count; run++) own.push(await track.run(step(batch, 'Latency')));
          measured[at]![index] = track.summarize(own);
        } finally {
          track.dispose();
        }
      }
    });
  const last = sessions.length - 1;
  for (let index = 0; index < last; index++) await block(index, half);
  if (last >= 0) await block(last, runs);
  if (half < runs) for (let index = last - 1; index >= 0; index--) await block(index, runs - half);
  const batches = measured.map((row, at) =>
    row.map((measurement, index) => ({ measurement: measurement!, times: times[at]![index]! })),
  );
  return { batches, inTurns: false };
}
