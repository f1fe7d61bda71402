/** @file The frame of the score bars: the criterion on the left, the tokens it was measured on at the right. */
import { type ReactNode, useRef } from 'react';
import { criteria } from '../../importance/methods';
import { integer } from '../parts/format';
import { producedBy } from '../parts/names';
import type { Ranked } from '../strip/useStrip';
import { ChartDownloads } from './frame/chartDownloads';

interface Props {
  ranked: Ranked;
  log: boolean;
  /** The unit of a bar: 'block', 'attention and MLP'. */
  what: string;
  /** Legend of the kinds of bars, and its words for images. */
  legend?: ReactNode;
  legendWords?: string;
  children: ReactNode;
}

export function ScoresFrame({ ranked, log, what, legend, legendWords = '', children }: Props) {
  const frame = useRef<HTMLDivElement>(null);
  const axis = log ? 'log axis' : 'linear axis';
  const on = measuredOn(ranked);
  return (
    <div className="strip-row scores-row">
      <div className="strip-label scores-label">
        {legend}
        <b>{ranked.label}</b>
        <span className="hint">{axis}</span>
      </div>
      <div
        ref={frame}
        className="scores-plot"
        role="img"
        aria-label={`${ranked.label} of each ${what} as bars; the table below has the values`}
      >
        {children}
      </div>
      <div className="strip-order scores-note">
        {on}
        <ChartDownloads
          frame={frame}
          title={`${ranked.label} of each ${what}`}
          name={`scores-${ranked.criterion}`}
          note={[legendWords, on, axis, producedBy(ranked.scores.device)].filter((part) => part !== '').join(' · ')}
        />
      </div>
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
