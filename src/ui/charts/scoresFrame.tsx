/** @file The frame of the score bars: the criterion on the left, the tokens it was measured on at the right. */
import type { ReactNode } from 'react';
import { criteria } from '../../importance/methods';
import { integer } from '../parts/format';
import type { Ranked } from '../strip/useStrip';

interface Props {
  ranked: Ranked;
  log: boolean;
  /** The unit of a bar: 'block', 'attention and MLP'. */
  what: string;
  /** Legend of the kinds of bars. */
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

/** States the tokens that were measured on, and explains the dashed line. */
function measuredOn({ scores, format }: Ranked): string {
  if (scores.reference !== undefined) {
    return `dashed: original model, ${format(scores.reference)}, on ${integer(scores.calibration.tokens)} calibration tokens`;
  }
  return criteria.find(({ id }) => id === scores.criterion)?.needs === 'gpu'
    ? `on ${integer(scores.calibration.tokens)} calibration tokens`
    : '';
}
