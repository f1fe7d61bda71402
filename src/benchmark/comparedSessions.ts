/** @file Several sessions timed in rounds against the first of them. */
import type { LatencyMeasurement } from './latency';
import { type PairedMeasurement, ratiosOf, refuseOneRun } from './paired';
import { measureWorking, type RoundsListener, type RoundsOptions, type TimedBatch, type WithSession } from './rounds';

/** One session with one batch size. */
export interface ComparedSession extends Pick<PairedMeasurement, 'latency' | 'decode' | 'pairs'> {
  readonly measurement: LatencyMeasurement;
}

/** All sessions with one batch size. */
export interface ComparedBatch {
  readonly batch: number;
  /** In the order in which they were given: the first is the reference, whose ratios are 1. Null for one that failed. */
  readonly sessions: readonly (ComparedSession | null)[];
  /** False where they did not fit into memory side by side. */
  readonly inTurns: boolean;
}

export interface ComparedListener extends Pick<RoundsListener, 'onFailed'> {
  /** A batch size is measured; a cancelled one too, if two whole rounds of it are there. */
  readonly onBatch?: ((found: ComparedBatch) => void) | undefined;
}

/**
 * Measures every batch size: warm-ups of all sessions, then `runs` rounds. Each session's speed-up over the first one is the
 * geometric mean of the rounds' ratios. Rejects with 'bad-argument' for fewer than two runs, and if the first session fails.
 */
export async function measureCompared(
  sessions: readonly WithSession[],
  options: RoundsOptions = {},
  { onFailed, onBatch }: ComparedListener = {},
): Promise<ComparedBatch[]> {
  refuseOneRun(options);
  const tell = onBatch && ((found: TimedBatch) => onBatch(compared(found)));
  const batches = await measureWorking(sessions, options, { onFailed, onBatch: tell });
  return batches.map(compared);
}

function compared({ batch, sessions, inTurns }: TimedBatch): ComparedBatch {
  const reference = sessions[0]!;
  const against = sessions.map(
    (own) => own && { measurement: own.measurement, ...ratiosOf(reference.times, own.times, batch) },
  );
  return { batch, sessions: against, inTurns };
}
