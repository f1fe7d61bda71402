/**
 * @file Writes a measured speed-up: the ratio, its confidence interval, and whether the runs show a difference. Pure.
 */
import type { Ratio } from '../../numerics/pairedRatio';
import { isConclusive } from '../../numerics/pairedRatio';
import type { LatencyResult, SpeedUp } from '../../report/results';
import { times } from './format';

/** The speed-up over the base; null if the two were not timed together. */
export function overBase({ speedUp }: Pick<LatencyResult, 'speedUp'>): SpeedUp | null {
  return speedUp?.against === 'base' ? speedUp : null;
}

export interface SpeedUpText {
  /** '1.31×' */
  readonly value: string;
  /** '1.27 to 1.36' */
  readonly interval: string;
  readonly verdict: 'faster' | 'slower' | 'open';
}

export const noDifference = 'these runs show no significant difference';

export function speedUpText(ratio: Ratio): SpeedUpText {
  const bare = (value: number): string => times(value).replace('×', '');
  return {
    value: times(ratio.ratio),
    interval: `${bare(ratio.low)} to ${bare(ratio.high)}`,
    verdict: isConclusive(ratio) ? (ratio.ratio > 1 ? 'faster' : 'slower') : 'open',
  };
}

/** A speed-up with its interval and how it was measured, for tooltips. */
export function speedUpStory(speedUp: SpeedUp): string {
  const { value, interval, verdict } = speedUpText(speedUp);
  const how = speedUp.inTurns
    ? `${speedUp.pairs} pairs of alternating runs`
    : `${speedUp.pairs} runs each, not alternating: memory was too small for both`;
  return `${value}, 95 % interval ${interval}${verdict === 'open' ? ` (${noDifference})` : ''}, ${how}`;
}
