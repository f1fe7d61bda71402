/** @file The learning rate of each step: a linear warm-up, then constant, linear or cosine, as transformers' schedules. */

import type { Schedule } from '../pruning/variant';

export interface RateSetting {
  readonly learningRate: number;
  /** Steps until the rate is reached, from 0 on. */
  readonly warmup: number;
  readonly schedule: Schedule;
  readonly steps: number;
}

/** @param step counts from 0 */
export function rateAt(step: number, { learningRate, warmup, schedule, steps }: RateSetting): number {
  if (step < warmup) return (learningRate * step) / warmup;
  if (schedule === 'constant') return learningRate;
  const left = Math.max(1, steps - warmup);
  const progress = Math.min(1, (step - warmup) / left);
  if (schedule === 'linear') return learningRate * (1 - progress);
  return learningRate * 0.5 * (1 + Math.cos(Math.PI * progress));
}
