/**
 * @file Several sessions timed in rounds, one run of each per round, so that their ratios are measured and not inferred: whatever the
 * machine does meanwhile (it warms up, it is busy, it saves power) it does to all runs of a round.
 *
 * Each round runs in the opposite order of the one before it, so that a steady drift, which favours the same places, cancels over two
 * rounds; every second round starts with another session, so that no session always follows the same one. The ratio of a session
 * to the reference is the geometric mean of the rounds' ratios, with the interval of Student's t on their logarithms; paired runs
 * and intervals of ratios are what Kalibera & Jones 2013 (Rigorous Benchmarking in Reasonable Time) ask of a speed-up.
 */
import { LabError, toLabError } from '../errors';
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

/** How many times as fast as the reference. */
export interface Ratios {
  /** reference / session, of whole generations: above 1 where the session is faster. */
  readonly latency: Ratio;
  /** The same of the time per decoded token; null where nothing is decoded, or in less time than the clock tells. */
  readonly decode: Ratio | null;
}

/** All sessions with one batch size. */
export interface RoundsMeasurement {
  readonly batch: number;
  /** By session, the reference first; null for one that failed. */
  readonly measured: readonly (LatencyMeasurement | null)[];
  /** By session; null for one that failed. The reference's is 1. */
  readonly ratios: readonly (Ratios | null)[];
  readonly rounds: number;
  /** False where not all fitted into memory side by side: then the sessions were timed one after the other, there and back. */
  readonly inTurns: boolean;
}

export interface RoundsOptions extends LatencyOptions {
  /** False where it is known that the sessions do not fit into memory together. */
  readonly sideBySide?: boolean | undefined;
  /** Hears of a session that cannot be timed; the others go on. Without it, the measurement fails. The reference has to work. */
  readonly onFailed?: ((session: number, failure: LabError) => void) | undefined;
  /** Hears of each batch size as soon as it is measured; of a cancelled one if it has two whole rounds. */
  readonly onBatch?: ((found: RoundsMeasurement) => void) | undefined;
}

/** The order of the sessions in a round. */
export function orderOfRound(round: number, sessions: number): number[] {
  const first = Math.floor(round / 2);
  const order = Array.from({ length: sessions }, (_, place) => (first + place) % sessions);
  return round % 2 === 0 ? order : order.reverse();
}

/**
 * Measures every batch size: warm-ups of all sessions, then `runs` rounds. Rejects with 'bad-argument' for fewer than two runs,
 * and with the reference's failure.
 */
export async function measureRounds(
  sessions: readonly WithSession[],
  options: RoundsOptions = {},
): Promise<RoundsMeasurement[]> {
  const counts = latencyCounts(options);
  if (counts.runs < 2) {
    throw new LabError(
      'bad-argument',
      `latency: a speed-up needs at least 2 runs, got ${counts.runs}.`,
      'Use more runs, for example ten.',
    );
  }
  const job = new Rounds(sessions, counts, options);
  if (options.sideBySide === false) return job.oneAtATime();
  try {
    return await job.sideBySide();
  } catch (thrown) {
    if (!isOutOfMemory(thrown)) throw thrown;
    return await job.oneAtATime();
  }
}

const isOutOfMemory = (thrown: unknown): boolean => thrown instanceof LabError && thrown.code === 'out-of-memory';

/** One measurement of all sessions. */
class Rounds {
  readonly #sessions: readonly WithSession[];
  readonly #counts: LatencyCounts;
  readonly #options: RoundsOptions;
  readonly #failed = new Set<number>();

  constructor(sessions: readonly WithSession[], counts: LatencyCounts, options: RoundsOptions) {
    this.#sessions = sessions;
    this.#counts = counts;
    this.#options = options;
  }

  /** Runs `work` with all sessions open, without those that do not open. */
  sideBySide(): Promise<RoundsMeasurement[]> {
    const open = async (at: number, opened: ReadonlyMap<number, OrtSession>): Promise<RoundsMeasurement[]> => {
      const session = this.#sessions[at];
      if (session === undefined) return this.#inRounds(opened);
      let began = false;
      try {
        return await session((one) => {
          began = true;
          return open(at + 1, new Map([...opened, [at, one]]));
        });
      } catch (thrown) {
        if (began) throw thrown;
        this.#fail(at, thrown, isOutOfMemory);
        return open(at + 1, opened);
      }
    };
    return open(0, new Map());
  }

  async #inRounds(opened: ReadonlyMap<number, OrtSession>): Promise<RoundsMeasurement[]> {
    const results: RoundsMeasurement[] = [];
    const step = this.#progress();
    for (const batch of this.#counts.batchSizes) results.push(await this.#batchInRounds(opened, batch, step(batch)));
    return results;
  }

  async #batchInRounds(
    opened: ReadonlyMap<number, OrtSession>,
    batch: number,
    step: (stage: string) => () => void,
  ): Promise<RoundsMeasurement> {
    const { warmups, runs } = this.#counts;
    const { signal, onBatch } = this.#options;
    const tracks = new Map<number, Track>();
    const times = this.#sessions.map((): RunTimes[] => []);
    const summary = () => this.#summarize(batch, times, (at) => tracks.get(at), true);
    try {
      for (const [at, session] of opened) {
        await this.#try(at, async () => void tracks.set(at, await openTrack(session, batch, this.#counts, signal)));
      }
      for (let round = -warmups; round < runs; round++) {
        // Counted from the first timed round on: an even number of rounds has as many in either order.
        const stage = round < 0 ? 'Warming up' : `Latency, batch ${batch}, round ${round + 1} of ${runs}`;
        for (const at of orderOfRound(round < 0 ? round + warmups : round, this.#sessions.length)) {
          const track = tracks.get(at);
          if (track === undefined || this.#failed.has(at)) continue;
          await this.#try(at, async () => {
            const run = await track.run(step(stage));
            if (round >= 0) times[at]!.push(run);
          });
        }
      }
      const found = summary();
      onBatch?.(found);
      return found;
    } catch (thrown) {
      if (signal?.aborted && wholeRounds(times) >= 2) onBatch?.(summary());
      throw thrown;
    } finally {
      for (const track of tracks.values()) track.dispose();
    }
  }

  /**
   * One session at a time: half of the runs of each but the last, all runs of the last one, then the other halves in the opposite
   * order. A steady drift then still cancels between the halves, what comes and goes within minutes does not.
   */
  async oneAtATime(): Promise<RoundsMeasurement[]> {
    const { batchSizes, runs } = this.#counts;
    const half = Math.ceil(runs / 2);
    const last = this.#sessions.length - 1;
    const before = Array.from({ length: last }, (_, at) => ({ at, count: half }));
    const behind = before.map(({ at }) => ({ at, count: runs - half })).reverse();
    const times = batchSizes.map(() => this.#sessions.map((): RunTimes[] => []));
    const tracks = batchSizes.map(() => new Map<number, Track>());
    const step = this.#progress();
    for (const { at, count } of [...before, { at: last, count: runs }, ...behind]) {
      if (count === 0 || this.#failed.has(at)) continue;
      await this.#try(at, () =>
        this.#sessions[at]!((session) => this.#runsOf(at, session, count, times, tracks, step)),
      );
    }
    return batchSizes.map((batch, index) => {
      const found = this.#summarize(batch, times[index]!, (at) => tracks[index]!.get(at), false);
      this.#options.onBatch?.(found);
      return found;
    });
  }

  /** Times one session with every batch size. */
  async #runsOf(
    at: number,
    session: OrtSession,
    count: number,
    times: readonly RunTimes[][][],
    tracks: readonly Map<number, Track>[],
    step: (batch: number) => (stage: string) => () => void,
  ): Promise<void> {
    const { batchSizes, warmups } = this.#counts;
    for (const [index, batch] of batchSizes.entries()) {
      const track = await openTrack(session, batch, this.#counts, this.#options.signal);
      try {
        for (let run = 0; run < warmups; run++) await track.run(step(batch)('Warming up'));
        for (let run = 0; run < count; run++)
          times[index]![at]!.push(await track.run(step(batch)('Latency, one model at a time')));
        tracks[index]!.set(at, track);
      } finally {
        track.dispose();
      }
    }
  }

  /** Does a part of the work that belongs to one session. */
  async #try(at: number, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (thrown) {
      this.#fail(at, thrown);
    }
  }

  /** Leaves a session out. Throws where the measurement cannot go on without it, and where `isFatal` says so. */
  #fail(at: number, thrown: unknown, isFatal: (thrown: unknown) => boolean = () => false): void {
    const { signal, onFailed } = this.#options;
    if (at === 0 || onFailed === undefined || signal?.aborted || isFatal(thrown)) throw thrown;
    this.#failed.add(at);
    onFailed(at, toLabError(thrown));
  }

  #summarize(
    batch: number,
    all: readonly (readonly RunTimes[])[],
    trackOf: (session: number) => Track | undefined,
    inTurns: boolean,
  ): RoundsMeasurement {
    const rounds = wholeRounds(all.filter((_, at) => !this.#failed.has(at)));
    const times = all.map((own, at) => (this.#failed.has(at) ? null : own.slice(0, rounds)));
    return {
      batch,
      measured: times.map((own, at) => own && trackOf(at)!.summarize(own)),
      ratios: times.map((own) => own && ratiosOf(times[0]!, own, batch)),
      rounds,
      inTurns,
    };
  }

  /** A function that counts a token of each of `batch` sequences, of all sessions. */
  #progress(): (batch: number) => (stage: string) => () => void {
    const total = this.#sessions.length * tokensOf(this.#counts);
    let done = 0;
    return (batch) => (stage) => () => {
      done = Math.min(total, done + batch);
      this.#options.onProgress?.({ stage, done, total, unit: 'tokens' });
    };
  }
}

/** Rounds in which every session has run. */
const wholeRounds = (times: readonly (readonly RunTimes[])[]): number => Math.min(...times.map(({ length }) => length));

function ratiosOf(reference: readonly RunTimes[], own: readonly RunTimes[], batch: number): Ratios {
  const whole = (runs: readonly RunTimes[]): number[] => runs.map(({ latencyMs }) => latencyMs);
  const decoded = (runs: readonly RunTimes[]): number[] =>
    runs.map(({ latencyMs, prefillMs }) => latencyMs - prefillMs);
  const isTold = (...times: number[][]): boolean => times.flat().every((time) => time > 0);
  if (!isTold(whole(reference), whole(own))) {
    throw new LabError(
      'runtime',
      `latency: a generation of batch ${batch} was too short for this browser's clock.`,
      'Use more new tokens.',
    );
  }
  const [above, below] = [decoded(reference), decoded(own)];
  return {
    latency: pairedRatio(whole(reference), whole(own)),
    decode: isTold(above, below) ? pairedRatio(above, below) : null,
  };
}
