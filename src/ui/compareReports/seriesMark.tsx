/** @file The mark of a variant of several reports: its colour tells the device or the report, its shape what was removed. */
import type { Side } from '../../report/verdict';
import { seriesColours } from './points';

interface Props {
  side: Side;
  /** A repaired variant has a ring. */
  repaired: boolean;
  series: number;
  x: number;
  y: number;
}

export function SeriesMark({ side, repaired, series, x, y }: Props) {
  const className = `series-${series % seriesColours}`;
  return (
    <>
      {side === 'depth' && <circle className={className} cx={x} cy={y} r={5.5} />}
      {side === 'width' && <path className={className} d={`M${x} ${y - 7}l6.5 7-6.5 7-6.5-7z`} />}
      {side === 'mixed' && <path className={className} d={`M${x} ${y - 7}l6.6 12h-13.2z`} />}
      {repaired && <circle className="series-ring" cx={x} cy={y} r={9.5} />}
    </>
  );
}
