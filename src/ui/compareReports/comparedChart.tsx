/** @file Chart of the variants of several reports against the parameters that they keep. */
import { useMemo, useState } from 'react';
import {
  CartesianGrid,
  ResponsiveContainer,
  Scatter,
  ScatterChart,
  useXAxisScale,
  useYAxisScale,
  XAxis,
  YAxis,
} from 'recharts';
import { logScale, plotMargin, shareAxis } from '../charts/axisProps';
import { Marks } from '../charts/compare/marks';
import { keptAxis, linearAxis, logAxis } from '../charts/ticks';
import { times } from '../parts/format';
import type { ComparedPoint, Measure } from './points';
import { SeriesMark } from './seriesMark';

interface Props {
  points: readonly ComparedPoint[];
  measure: Measure;
}

export default function ComparedChart({ points, measure }: Props) {
  const [room, setRoom] = useState<HTMLElement | null>(null);
  const x = useMemo(() => keptAxis(points.map(({ kept }) => kept)), [points]);
  const values = useMemo(() => [1, ...points.map(({ y }) => y)], [points]);
  const isLog = measure === 'perplexity';
  const y = useMemo(() => (isLog ? logAxis(values) : linearAxis(values)), [values, isLog]);
  const axis = logScale(y, 'y');
  return (
    <div className="mark-room" ref={setRoom}>
      <ResponsiveContainer width="100%" height="100%">
        <ScatterChart margin={{ ...plotMargin, right: 20 }} accessibilityLayer={false}>
          <CartesianGrid vertical={false} stroke="var(--line)" syncWithTicks />
          <XAxis {...shareAxis(x)} interval={0} allowDataOverflow />
          {isLog ? <YAxis {...axis} tickFormatter={times} /> : <YAxis {...axis} scale="linear" tickFormatter={times} />}
          <Scatter data={[...points]} shape={() => <g />} isAnimationActive={false} tooltipType="none" />
          <Placed points={points} room={room} />
          <text x={4} y={12} className="axis-label">
            {isLog ? 'perplexity ÷ that of the original model, log axis' : 'times as fast as the original model'}
          </text>
        </ScatterChart>
      </ResponsiveContainer>
    </div>
  );
}

function Placed({ points, room }: { points: readonly ComparedPoint[]; room: HTMLElement | null }) {
  const [active, setActive] = useState<string | null>(null);
  const xScale = useXAxisScale();
  const yScale = useYAxisScale();
  if (!xScale || !yScale) return null;
  const placed = points.flatMap((point) => {
    const [x, y] = [xScale(point.kept), yScale(point.y)];
    if (x === undefined || y === undefined || Number.isNaN(x) || Number.isNaN(y)) return [];
    const { key, title, lines, side, repaired, series } = point;
    return [{ key, x, y, title, lines, drawing: <SeriesMark {...{ side, repaired, series, x, y }} /> }];
  });
  return <Marks label="Variants of all reports" room={room} active={active} onActive={setActive} marks={placed} />;
}
