/** @file A measured speed-up in words: the ratio, what chance leaves open, and whether the runs show a difference at all. Pure. */
import type { Ratio } from '../../numerics/pairedRatio';
import { isConclusive } from '../../numerics/pairedRatio';
import type { LatencyResult, SpeedUp } from '../../report/results';
import { times } from './format';

/** Over the whole model; null where the two were not timed together. */
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

export const noDifference = 'no difference that these runs can show';

export function speedUpText(ratio: Ratio): SpeedUpText {
  const bare = (value: number): string => times(value).replace('×', '');
  return {
    value: times(ratio.ratio),
    interval: `${bare(ratio.low)} to ${bare(ratio.high)}`,
    verdict: isConclusive(ratio) ? (ratio.ratio > 1 ? 'faster' : 'slower') : 'open',
  };
}

/** The whole story of one: for a tooltip and a title. */
export function speedUpStory(speedUp: SpeedUp): string {
  const { value, interval, verdict } = speedUpText(speedUp);
  const how = speedUp.inTurns
    ? `${speedUp.pairs} pairs of runs in turns`
    : `${speedUp.pairs} runs each, not in turns: both did not fit into memory`;
  return `${value}, 95 % interval ${interval}${verdict === 'open' ? ` (${noDifference})` : ''}, ${how}`;
}
