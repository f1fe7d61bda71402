/**
 * @file Chart of the variants' perplexities (log) against another number. Lines join a variant before its repair with the
 * repaired one.
 */
import { useMemo, useState } from 'react';
import {
  CartesianGrid,
  ResponsiveContainer,
  Scatter,
  ScatterChart,
  usePlotArea,
  useXAxisScale,
  useYAxisScale,
  XAxis,
  YAxis,
} from 'recharts';
import { logScale, namedAxis, plotMargin } from '../axisProps';
import { alongLine, type Box, leaderOf, lineTo, type PlacedLabel, placeLabels } from '../labels';
import { linearAxis, logAxis } from '../ticks';
import { inColumns } from './labelColumns';
import { Mark } from './mark';
import { Marks, narrowBelow, shortName } from './marks';
import type { ScatterPoint } from './scatterData';

interface Props {
  points: readonly ScatterPoint[];
  /** Name of the x axis. */
  axis: string;
  tick: (value: number) => string;
  /** A time axis does not have to begin at zero. */
  fromZero: boolean;
  /** Names beside the marks in a narrow chart too, where no list below it has them. */
  names?: boolean;
}

/** Room for the names at the right of a chart that is wide enough for them. */
const columnRoom = 226;
/** Width of a character of a name, px: names are bold. */
const characterWidth = 7.3;

export default function VariantScatter({ points, axis, tick, fromZero, names = false }: Props) {
  const [room, setRoom] = useState<HTMLElement | null>(null);
  const [width, setWidth] = useState(0);
  const narrow = width < narrowBelow && !names;
  const x = useMemo(() => xAxis(points, fromZero), [points, fromZero]);
  const y = useMemo(() => logAxis(points.map(({ y: value }) => value)), [points]);
  return (
    <div className="mark-room" ref={setRoom}>
      <ResponsiveContainer width="100%" height="100%" onResize={setWidth}>
        <ScatterChart margin={{ ...plotMargin, right: narrow ? 20 : columnRoom }} accessibilityLayer={false}>
          <CartesianGrid vertical={false} stroke="var(--line)" syncWithTicks />
          <XAxis {...namedAxis(x, axis)} dataKey="x" tickFormatter={tick} interval={0} allowDataOverflow />
          <YAxis {...logScale(y, 'y')} />
          <Scatter data={[...points]} shape={() => <g />} isAnimationActive={false} tooltipType="none" />
          <PlacedPoints points={points} room={room} narrow={narrow} />
          <text x={4} y={12} className="axis-label">
            perplexity, log axis
          </text>
        </ScatterChart>
      </ResponsiveContainer>
    </div>
  );
}

/** From zero, or close around the values with their whiskers. */
function xAxis(points: readonly ScatterPoint[], fromZero: boolean): ReturnType<typeof linearAxis> {
  const ends = points.flatMap(({ x, whisker }) => [x - whisker, x + whisker]);
  const full = linearAxis(fromZero ? [...ends, 10] : ends);
  const most = Math.max(...ends, 10) * 1.06; // at least 10 %, where the base stands alone
  if (fromZero) return { ticks: full.ticks.filter((tick) => tick >= 0 && tick <= most), domain: [0, most] };
  const [low, high] = [Math.min(...ends), Math.max(...ends)];
  const span = high - low || high * 0.2 || 1;
  const fine = linearAxis([0, span]);
  const step = (fine.ticks[1] ?? 1) - (fine.ticks[0] ?? 0);
  const domain: [number, number] = [Math.max(0, low - span * 0.08), high + span * 0.08];
  const first = Math.ceil(domain[0] / step - 1e-9);
  const count = Math.floor(domain[1] / step + 1e-9) - first + 1;
  const ticks = Array.from({ length: Math.max(0, count) }, (_, index) =>
    Number(((first + index) * step).toPrecision(10)),
  );
  return { domain, ticks };
}

interface PlacedProps {
  points: readonly ScatterPoint[];
  room: HTMLElement | null;
  narrow: boolean;
}

function PlacedPoints({ points, room, narrow }: PlacedProps) {
  const [active, setActive] = useState<string | null>(null);
  const xScale = useXAxisScale();
  const yScale = useYAxisScale();
  const plot = usePlotArea();
  if (!xScale || !yScale || !plot) return null;
  const placed = points.flatMap((point) => {
    const [x, y] = [xScale(point.x), yScale(point.y)];
    if (x === undefined || y === undefined || Number.isNaN(x) || Number.isNaN(y)) return [];
    const half = Math.abs((xScale(point.x + point.whisker) ?? x) - x);
    return [{ point, x, y, half }];
  });
  const at = new Map(placed.map((each) => [each.point.key, each]));
  const repairs = placed.flatMap((after) => {
    const before = after.point.before === null ? undefined : at.get(after.point.before);
    return before ? [{ before, after }] : [];
  });
  const area: Box = {
    left: plot.x,
    right: plot.x + plot.width + 18,
    top: plot.y - 6,
    bottom: plot.y + plot.height + 4,
  };
  const obstacles = [
    ...repairs.flatMap(({ before, after }) => alongLine([before, after])),
    ...placed.flatMap(({ x, y, half }) =>
      half > 4 ? [{ left: x - half, right: x + half, top: y - 2, bottom: y + 2 }] : [],
    ),
  ];
  // The repaired variant and the base come first; a hollow mark is joined to its repaired twin, which has a label.
  const requests = [...placed]
    .sort((a, b) => Number(b.point.filled) - Number(a.point.filled) || a.y - b.y)
    .map(({ point, x, y, half }) => {
      const text = narrow ? String(point.number || '') : shortName(point.name);
      return { key: point.key, text, x, y, half };
    })
    .filter(({ text }) => text !== '');
  const labels = narrow
    ? placeLabels(requests, area, obstacles, characterWidth, { lines: 14 })
    : inColumns(requests, { top: plot.y + 4, bottom: plot.y + plot.height }, (text) => text.length * characterWidth);
  return (
    <>
      {repairs.map(({ before, after }) => (
        <line
          key={after.point.key}
          className={`repair-line repair-${after.point.kind}`}
          x1={before.x}
          y1={before.y}
          x2={after.x}
          y2={after.y}
        />
      ))}
      {placed.map(({ point, x, y, half }) =>
        point.whisker > 0 ? (
          <path
            key={point.key}
            className="whisker"
            d={`M${x - half} ${y}H${x + half}M${x - half} ${y - 4}v8M${x + half} ${y - 4}v8`}
          />
        ) : null,
      )}
      <Leaders labels={labels} always={!narrow} />
      <Marks
        label="Variants"
        room={room}
        active={active}
        onActive={setActive}
        marks={placed.map(({ point, x, y }) => ({
          ...{ key: point.key, x, y, title: point.name, lines: point.lines },
          drawing: (
            <>
              <Mark kind={point.kind} filled={point.filled} x={x} y={y} />
              {point.now && <circle className="mark-now" cx={x} cy={y} r={11} />}
            </>
          ),
        }))}
      />
      <g className="point-labels">
        {labels.map((label) => {
          const { point } = at.get(label.key)!;
          const className = `label-${point.now ? 'now' : point.kind}${active === null || active === point.key ? '' : ' faint'}`;
          return (
            <text key={label.key} className={className} x={label.labelX} y={label.labelY} textAnchor={label.anchor}>
              {label.text}
            </text>
          );
        })}
      </g>
    </>
  );
}

/** Lines from labels to points that are more than a line away. */
function Leaders({ labels, always }: { labels: readonly PlacedLabel[]; always: boolean }) {
  return labels.map((label) => {
    const leader = always ? lineTo(label) : leaderOf(label);
    if (!leader) return null;
    const [from, to] = leader;
    return <line key={label.key} className="leader" x1={from.x} y1={from.y} x2={to.x} y2={to.y} />;
  });
}
