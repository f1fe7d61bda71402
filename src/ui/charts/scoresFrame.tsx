/** @file What stands around the bars of scores: their name on the left, what they were measured on at the right. */
import type { ReactNode } from 'react';
import { criteria } from '../../importance/methods';
import { integer } from '../parts/format';
import type { Ranked } from '../strip/useStrip';

interface Props {
  ranked: Ranked;
  log: boolean;
  /** What the bars are of: 'block', 'attention and MLP'. */
  what: string;
  /** How to tell kinds of bars apart. */
  legend?: ReactNode;
  children: ReactNode;
}

export function ScoresFrame({ ranked, log, what, legend, children }: Props) {
  return (
    <div className="strip-row scores-row">
      <div className="strip-label scores-label">
        {legend}
        <b>{ranked.label}</b>
        <span className="hint">{log ? 'log axis' : 'linear axis'}</span>
      </div>
      <div
        className="scores-plot"
        role="img"
        aria-label={`${ranked.label} of each ${what} as bars; the table below has the values`}
      >
        {children}
      </div>
      <div className="strip-order scores-note">{measuredOn(ranked)}</div>
    </div>
  );
}

/** What the bars were measured on, and what the dashed line is. */
function measuredOn({ scores, format }: Ranked): string {
  if (scores.reference !== undefined) {
    return `dashed: base, ${format(scores.reference)}, on ${integer(scores.calibration.tokens)} calibration tokens`;
  }
  return criteria.find(({ id }) => id === scores.criterion)?.needs === 'gpu'
    ? `on ${integer(scores.calibration.tokens)} calibration tokens`
    : '';
}
