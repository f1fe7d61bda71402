/** @file Scores as bars over the strip's columns. Pure. */

import { rampColour } from '../strip/colourScale';
import { covers } from '../strip/ranks';
import type { Ranked } from '../strip/useStrip';
import { linearAxis, logAxis } from './ticks';

export interface ScoreBar {
  /** Of the block or half. */
  index: number;
  /** What the score covers, for the tooltip. */
  name: string;
  /** Null where no score starts. */
  score: number | null;
  /** The bar's end: the score, or the axis's end when the score lies beyond it. */
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

/** Positive scores that span more than this factor are unreadable from zero: they get a log axis. */
const logFrom = 20;

/**
 * One bar per block or half, so that bars stand on the strip's columns; perplexities always on a log axis. The axis ends where
 * the colours end: one lethal block would flatten all other bars, so its bar is cut off there and carries its value.
 */
export function scoresView(
  { mode, criterion, scores, scale }: Pick<Ranked, 'mode' | 'criterion' | 'scores' | 'scale'>,
  units: number,
  removed: ReadonlySet<number>,
): ScoresView {
  const beyond = new Set(scale.beyond);
  const finite = scores.scores.filter((score, index) => Number.isFinite(score) && !beyond.has(index));
  const positive = finite.length > 0 && finite.every((score) => score > 0);
  const log = positive && (criterion === 'ppl' || Math.max(...finite) > logFrom * Math.min(...finite));
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

/** Bars of halves, by block. */
export function barPairs(bars: readonly ScoreBar[]): BarPair[] {
  return Array.from({ length: bars.length >> 1 }, (_, block) => ({
    block,
    attention: bars[2 * block]!,
    mlp: bars[2 * block + 1]!,
  }));
}
