/** @file Scores as bars over the strip's columns. Pure. */

import { type Criterion, scoreMethods } from '../../importance/methods';
import { rampColour } from '../strip/colourScale';
import { covers } from '../strip/ranks';
import type { Ranked } from '../strip/useStrip';
import { linearAxis, logAxis } from './ticks';

export interface ScoreBar {
  /** Index of the block or sub-block. */
  index: number;
  /** The unit that the score covers, for the tooltip. */
  name: string;
  /** Null if the unit has no score. */
  score: number | null;
  /** Height of the bar: the score, limited to the axis. */
  drawn: number | null;
  beyond: boolean;
  colour: string;
  removed: boolean;
}

export interface ScoresView {
  bars: ScoreBar[];
  log: boolean;
  domain: [number, number];
  ticks: number[];
}

const isLog = (criterion: Criterion): boolean => scoreMethods.some(({ id, logScale }) => id === criterion && logScale);

/** Positive scores that span more than this factor get a log axis, because they are unreadable on a linear one. */
const logFrom = 20;

/**
 * One bar per block or sub-block, on the strip's columns. Perplexities always get a log axis. The axis has the same
 * range as the colours: one very important block would flatten all other bars, so its bar is cut off there and labelled
 * with its value.
 */
export function scoresView(
  { mode, criterion, scores, scale }: Pick<Ranked, 'mode' | 'criterion' | 'scores' | 'scale'>,
  units: number,
  removed: ReadonlySet<number>,
): ScoresView {
  const beyond = new Set(scale.beyond);
  const finite = scores.scores.filter((score, index) => Number.isFinite(score) && !beyond.has(index));
  const positive = finite.length > 0 && finite.every((score) => score > 0);
  const log = positive && (isLog(criterion) || Math.max(...finite) > logFrom * Math.min(...finite));
  const shown = scores.reference === undefined ? finite : [...finite, scores.reference];
  const axis = log ? logAxis(shown) : linearAxis(shown);
  const bars = Array.from({ length: units }, (_, index): ScoreBar => {
    const score = scores.scores[index] ?? Number.NaN;
    const known = !Number.isNaN(score);
    return {
      index,
      name: covers(index, scores.window, mode),
      score: known ? score : null,
      drawn: known ? Math.min(Math.max(score, axis.domain[0]), axis.domain[1]) : null,
      beyond: beyond.has(index),
      colour: rampColour(scale.positions[index] ?? null),
      removed: removed.has(index),
    };
  });
  return { bars, log, ...axis };
}

/** The two bars of a block, side by side. */
export interface BarPair {
  block: number;
  attention: ScoreBar;
  mlp: ScoreBar;
}

/** Bars of sub-blocks, in pairs by block. */
export function barPairs(bars: readonly ScoreBar[]): BarPair[] {
  return Array.from({ length: bars.length >> 1 }, (_, block) => ({
    block,
    attention: bars[2 * block]!,
    mlp: bars[2 * block + 1]!,
  }));
}
