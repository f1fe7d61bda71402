/** @file Writes progress as text and computes the rate of a download. Pure. */
import type { Progress } from '../../task';
import { bytes, integer } from './format';

/** Share done 0…1, or null when the total is unknown. */
export function progressShare(progress: Progress | null): number | null {
  if (!progress || !(progress.total > 0)) return null;
  return Math.min(1, Math.max(0, progress.done / progress.total));
}

/** '4.2 of 10.5 MB', '5 of 12 blocks'; only the finished part if the total is unknown. */
export function progressText({ done, total, unit }: Progress): string {
  if (unit === 'bytes') return total > 0 ? `${bytes(done)} of ${bytes(total)}` : bytes(done);
  const whole = integer(Math.floor(done)); // a search reports fractions of a step
  return total > 0 ? `${whole} of ${integer(total)} ${unit}` : `${whole} ${unit}`;
}

/** One observation of a running task. */
export interface RateSample {
  /** Milliseconds on any steady clock. */
  time: number;
  done: number;
  /** Stage of the task: rates of different stages are not mixed. */
  stage: string;
}

const intervalMs = 3000;

/** Samples of the last three seconds and the new one; starts over when the count decreases or another stage begins. */
export function withSample(samples: readonly RateSample[], next: RateSample | null): RateSample[] {
  if (next === null) return [];
  const last = samples.at(-1);
  if (last && (next.done < last.done || next.stage !== last.stage)) return [next];
  const recent = samples.filter(({ time }) => next.time - time <= intervalMs);
  return [...recent, next];
}

/** Units per second over the samples; null if they span less than a quarter of a second. */
export function rateOf(samples: readonly RateSample[]): number | null {
  const first = samples[0];
  const last = samples.at(-1);
  if (!first || !last || last.time - first.time < 250) return null;
  return ((last.done - first.done) * 1000) / (last.time - first.time);
}

/** ' · 2 min left'; empty if unknown. */
export function remainingText({ done, total }: Progress, rate: number): string {
  if (!(rate > 0) || total <= done) return '';
  const seconds = Math.ceil((total - done) / rate);
  if (seconds < 60) return ` · ${seconds} s left`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? ` · ${minutes} min left` : ` · ${Math.floor(minutes / 60)} h ${minutes % 60} min left`;
}
