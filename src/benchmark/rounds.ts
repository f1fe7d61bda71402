/**
 * @file Several sessions timed in rounds: each round runs every session once, so that whatever the machine does meanwhile
 * (it warms up, it is busy, it saves power) it does to all of them.
 *
 * The order alternates between forward and backward, so that a steady drift, which always favours the same place, cancels; and it
 * begins with another session in every second round, so that none always follows the same one. Two sessions run as ABBA.
 */
import { LabError, toLabError } from '../errors';
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

/** All sessions with one batch size. */
export interface TimedBatch {
  readonly batch: number;
  /** In the order in which they were given; null for one that failed. */
  readonly sessions: readonly (TimedSession | null)[];
  /** False where not all fit into memory side by side: then each ran half of its runs, and the other half in reverse order. */
  readonly inTurns: boolean;
}

export interface Rounds extends Pick<TimedBatch, 'inTurns'> {
  /** [batch size][session], in the order in which they were given. */
  readonly batches: readonly (readonly TimedSession[])[];
}

export interface RoundsOptions extends LatencyOptions {
  /** False: they do not fit into memory side by side. By default that is tried. */
  sideBySide?: boolean | undefined;
}

/** Hears while sessions are timed. */
export interface RoundsListener {
  /** A session that cannot be timed is left out, and the others go on. Without this, and for the first one, all fail. */
  readonly onFailed?: ((session: number, failure: LabError) => void) | undefined;
  /** A batch size is measured; a cancelled one too, if two whole rounds of it are there. */
  readonly onBatch?: ((found: TimedBatch) => void) | undefined;
}

/** The order of the sessions in a round. */
export function orderOfRound(round: number, count: number): number[] {
  const first = Math.floor(round / 2) % Math.max(1, count);
  const order = Array.from({ length: count }, (_, place) => (first + place) % count);
  // Two sessions have only two orders: these alternate without another shift.
  if (count === 2) return round % 2 === 0 ? [0, 1] : [1, 0];
  return round % 2 === 0 ? order : order.reverse();
}

/** Measures every batch size: warm-ups of all sessions, then `runs` rounds. Rejects if one of them fails. */
export async function measureRounds(sessions: readonly WithSession[], options: RoundsOptions = {}): Promise<Rounds> {
  const found = await measureWorking(sessions, options, {});
  const batches = found.map((batch) => batch.sessions.map((session) => session!));
  return { batches, inTurns: found.every(({ inTurns }) => inTurns) };
}

/** The same, without the sessions that fail: `listener.onFailed` hears of each. Rejects if the first one fails. */
export async function measureWorking(
  sessions: readonly WithSession[],
  options: RoundsOptions,
  listener: RoundsListener,
): Promise<TimedBatch[]> {
  const timing = new Timing(sessions, latencyCounts(options), options, listener);
  if (options.sideBySide === false) return timing.oneAtATime();
  try {
    return await timing.sideBySide();
  } catch (thrown) {
    if (!isOutOfMemory(thrown)) throw thrown;
    return await timing.oneAtATime();
  }
}

const isOutOfMemory = (thrown: unknown): boolean => thrown instanceof LabError && thrown.code === 'out-of-memory';

/** Counts a token of each of `batch` sequences. */
type Step = (batch: number, stage: string) => () => void;

class Timing {
  readonly #sessions: readonly WithSession[];
  readonly #counts: LatencyCounts;
  readonly #options: RoundsOptions;
  readonly #listener: RoundsListener;
  readonly #failed = new Set<number>();

  constructor(
    sessions: readonly WithSession[],
    counts: LatencyCounts,
    options: RoundsOptions,
    listener: RoundsListener,
  ) {
    this.#sessions = sessions;
    this.#counts = counts;
    this.#options = options;
    this.#listener = listener;
  }

  /** All sessions open at once, without those that do not open. Rejects with 'out-of-memory' where they do not fit. */
  sideBySide(): Promise<TimedBatch[]> {
    const open = async (at: number, opened: ReadonlyMap<number, OrtSession>): Promise<TimedBatch[]> => {
      const session = this.#sessions[at];
      if (session === undefined) return this.#inRounds(opened);
      let began = false;
      try {
        return await session((one) => {
          began = true;
          return open(at + 1, new Map([...opened, [at, one]]));
        });
      } catch (thrown) {
        if (began || isOutOfMemory(thrown)) throw thrown;
        this.#leaveOut(at, thrown);
        return open(at + 1, opened);
      }
    };
    return open(0, new Map());
  }

  async #inRounds(opened: ReadonlyMap<number, OrtSession>): Promise<TimedBatch[]> {
    const found: TimedBatch[] = [];
    const step = this.#progress();
    for (const batch of this.#counts.batchSizes) found.push(await this.#batchInRounds(opened, batch, step));
    return found;
  }

  async #batchInRounds(opened: ReadonlyMap<number, OrtSession>, batch: number, step: Step): Promise<TimedBatch> {
    const { warmups, runs } = this.#counts;
    const { signal } = this.#options;
    const tracks = new Map<number, Track>();
    const times = this.#sessions.map((): RunTimes[] => []);
    const tell = (): TimedBatch => this.#tell(batch, times, tracks, true);
    try {
      for (const [at, session] of opened) {
        await this.#try(at, async () => void tracks.set(at, await openTrack(session, batch, this.#counts, signal)));
      }
      for (let round = -warmups; round < runs; round++) {
        const stage = round < 0 ? 'Warming up' : `Latency, batch ${batch}, alternating runs`;
        // Counted from the first timed round on: an even number of them has as many of either direction.
        for (const at of orderOfRound(round < 0 ? round + warmups : round, this.#sessions.length)) {
          const track = tracks.get(at);
          if (track === undefined || this.#failed.has(at)) continue;
          await this.#try(at, async () => {
            const run = await track.run(step(batch, stage));
            if (round >= 0) times[at]!.push(run);
          });
        }
      }
      return tell();
    } catch (thrown) {
      if (signal?.aborted && this.#wholeRounds(times) >= 2) tell();
      throw thrown;
    } finally {
      for (const track of tracks.values()) track.dispose();
    }
  }

  /**
   * Where only one session fits at a time: half of the runs of each, then the other halves in reverse order; the last one runs once.
   * A steady drift then still cancels between the halves, what comes and goes within minutes does not.
   */
  async oneAtATime(): Promise<TimedBatch[]> {
    const { batchSizes, runs } = this.#counts;
    const half = Math.ceil(runs / 2);
    const last = this.#sessions.length - 1;
    const first = Array.from({ length: Math.max(0, last) }, (_, at) => ({ at, count: half }));
    const second = first.map(({ at }) => ({ at, count: runs - half })).reverse();
    const times = batchSizes.map(() => this.#sessions.map((): RunTimes[] => []));
    const tracks = batchSizes.map(() => new Map<number, Track>());
    const step = this.#progress();
    for (const { at, count } of [...first, { at: last, count: runs }, ...second]) {
      const session = this.#sessions[at];
      if (session === undefined || count === 0 || this.#failed.has(at)) continue;
      await this.#try(at, () => session((open) => this.#runsOf(at, open, count, times, tracks, step)));
    }
    return batchSizes.map((batch, index) => this.#tell(batch, times[index]!, tracks[index]!, false));
  }

  /** Times one session with every batch size. */
  async #runsOf(
    at: number,
    session: OrtSession,
    count: number,
    times: readonly RunTimes[][][],
    tracks: readonly Map<number, Track>[],
    step: Step,
  ): Promise<void> {
    const { batchSizes, warmups } = this.#counts;
    for (const [index, batch] of batchSizes.entries()) {
      const track = await openTrack(session, batch, this.#counts, this.#options.signal);
      tracks[index]!.set(at, track);
      try {
        for (let run = 0; run < warmups; run++) await track.run(step(batch, 'Warming up'));
        const own = times[index]![at]!;
        for (let run = 0; run < count; run++) own.push(await track.run(step(batch, 'Latency, one model at a time')));
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
      this.#leaveOut(at, thrown);
    }
  }

  /** Goes on without a session. Throws where the measurement cannot. */
  #leaveOut(at: number, thrown: unknown): void {
    const { onFailed } = this.#listener;
    if (at === 0 || onFailed === undefined || this.#options.signal?.aborted) throw thrown;
    this.#failed.add(at);
    onFailed(at, toLabError(thrown));
  }

  /** Rounds in which every session that works has run. */
  #wholeRounds(times: readonly (readonly RunTimes[])[]): number {
    return Math.min(...times.filter((_, at) => !this.#failed.has(at)).map(({ length }) => length));
  }

  #tell(
    batch: number,
    times: readonly (readonly RunTimes[])[],
    tracks: ReadonlyMap<number, Track>,
    inTurns: boolean,
  ): TimedBatch {
    const rounds = this.#wholeRounds(times);
    const sessions = times.map((all, at) => {
      if (this.#failed.has(at)) return null;
      const own = all.slice(0, rounds);
      return { measurement: tracks.get(at)!.summarize(own), times: own };
    });
    const found = { batch, sessions, inTurns };
    this.#listener.onBatch?.(found);
    return found;
  }

  #progress(): Step {
    const total = this.#sessions.length * tokensOf(this.#counts);
    let done = 0;
    return (batch, stage) => () => {
      done = Math.min(total, done + batch);
      this.#options.onProgress?.({ stage, done, total, unit: 'tokens' });
    };
  }
}
