/** @file Two sessions timed in turns: rounds of two (`rounds.ts`), with the names that a pair has. */
import type { LatencyMeasurement, LatencyOptions } from './latency';
import { measureRounds, type Ratios, type WithSession } from './rounds';

export interface PairedMeasurement extends Ratios {
  /** Of the one that the other is compared with. */
  readonly reference: LatencyMeasurement;
  readonly measured: LatencyMeasurement;
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
  const batches = await measureRounds([reference, measured], options);
  return batches.map(({ measured: both, ratios, rounds, inTurns }) => ({
    reference: both[0]!,
    measured: both[1]!,
    ...ratios[1]!,
    pairs: rounds,
    inTurns,
  }));
}
