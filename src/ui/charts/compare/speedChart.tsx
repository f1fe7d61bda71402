/**
 * @file Chart of the speed-up over the base by batch size, with 95 % intervals. A dashed line is the ideal: the parameters of the
 * base divided by those of the variant.
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
import { times } from '../../parts/format';
import { producedBy } from '../../parts/names';
import { speedUpStory } from '../../parts/speedUp';
import { namedAxis, plotMargin } from '../axisProps';
import { Mark } from './mark';
import { Marks, shortName } from './marks';
import { batchesOf, dodged, speedAxis, spreadOut } from './speedData';
import { idealGroups, type SpeedLine, type SpeedPoint } from './variantPoints';

/** Room for the names at the right; on a phone for numbers only. */
const nameRoom = 226;
const numberRoom = 44;
const narrowBelow = 640;

interface Props {
  lines: readonly SpeedLine[];
  /** Names beside the lines in a narrow chart too, where no list below it has them. */
  names?: boolean;
}

export default function SpeedChart({ lines, names = false }: Props) {
  const [room, setRoom] = useState<HTMLElement | null>(null);
  const [width, setWidth] = useState(0);
  const batches = useMemo(() => batchesOf(lines), [lines]);
  const y = useMemo(() => speedAxis(lines), [lines]);
  const narrow = width < narrowBelow && !names;
  const x = { domain: [-0.5, batches.length - 0.5] as [number, number], ticks: batches.map((_, place) => place) };
  const data = lines.flatMap(({ points }) =>
    points.map(({ batch, ratio }) => ({ x: batches.indexOf(batch), y: ratio })),
  );
  return (
    <div className="mark-room" ref={setRoom}>
      <ResponsiveContainer width="100%" height="100%" onResize={setWidth}>
        <ScatterChart margin={{ ...plotMargin, right: narrow ? numberRoom : nameRoom }} accessibilityLayer={false}>
          <CartesianGrid vertical={false} stroke="var(--line)" syncWithTicks />
          <XAxis
            {...namedAxis(x, 'batch size: sequences decoded at once')}
            dataKey="x"
            interval={0}
            tickFormatter={(place: number) => String(batches[place] ?? '')}
          />
          <YAxis
            type="number"
            dataKey="y"
            domain={y.domain}
            ticks={y.ticks}
            interval={0}
            width={48}
            tickLine={false}
            axisLine={false}
            tickFormatter={times}
          />
          <Scatter data={data} shape={() => <g />} isAnimationActive={false} tooltipType="none" />
          <PlacedLines lines={lines} batches={batches} narrow={narrow} room={room} />
          <text x={4} y={12} className="axis-label">
            speed-up over the original model
          </text>
        </ScatterChart>
      </ResponsiveContainer>
    </div>
  );
}

interface PlacedProps {
  lines: readonly SpeedLine[];
  batches: readonly number[];
  narrow: boolean;
  room: HTMLElement | null;
}

function PlacedLines({ lines, batches, narrow, room }: PlacedProps) {
  const [active, setActive] = useState<string | null>(null);
  const xScale = useXAxisScale();
  const yScale = useYAxisScale();
  const plot = usePlotArea();
  if (!xScale || !yScale || !plot) return null;
  const right = plot.x + plot.width;
  const yOf = (value: number): number => yScale(value) ?? 0;
  const placed = lines.map((line, index) => ({
    line,
    points: line.points.map((point) => ({
      point,
      x: xScale(dodged(batches.indexOf(point.batch), index, lines.length, batches.length)) ?? 0,
      y: yOf(point.ratio),
    })),
  }));
  const names = spreadOut(
    placed.map(({ points }) => points.at(-1)!.y),
    14,
    plot.y + 4,
    plot.y + plot.height - 2,
  );
  const activeLine = active?.split(' ')[0] ?? null;
  const fade = (key: string): string => (activeLine === null || activeLine === key ? '' : ' faint');
  return (
    <>
      <line className="even-line" x1={plot.x} x2={right} y1={yOf(1)} y2={yOf(1)} />
      <Ideals lines={lines} active={activeLine} plot={plot} yOf={yOf} />
      {placed.map(({ line, points }) => (
        <g
          key={line.key}
          className={`speed-line speed-${line.kind}${line.filled ? '' : ' speed-hollow'}${fade(line.key)}`}
        >
          <path d={points.map(({ x, y }, index) => `${index === 0 ? 'M' : 'L'}${x} ${y}`).join('')} />
          {points.map(({ point, x }) => (
            <path key={point.batch} className="speed-whisker" d={whisker(x, yOf(point.low), yOf(point.high))} />
          ))}
        </g>
      ))}
      {placed.map(({ line, points }, index) => (
        <g key={line.key} className={fade(line.key)}>
          <line
            className="leader"
            x1={points.at(-1)!.x + 8}
            y1={points.at(-1)!.y}
            x2={right + 4}
            y2={names[index]! - 1}
          />
          <text className={line.now ? 'label-now' : `label-${line.kind}`} x={right + 8} y={names[index]! + 3}>
            {narrow ? line.number : shortName(line.name)}
          </text>
        </g>
      ))}
      <Marks
        label="Speed-ups"
        room={room}
        active={active}
        onActive={setActive}
        marks={placed.flatMap(({ line, points }) =>
          points.map(({ point, x, y }) => ({
            ...{ key: `${line.key} ${point.batch}`, x, y },
            ...tooltip(line, point),
            drawing: (
              <g className={fade(line.key)}>
                <Mark kind={line.kind} filled={line.filled} x={x} y={y} />
              </g>
            ),
          })),
        )}
      />
    </>
  );
}

const whisker = (x: number, low: number, high: number): string =>
  `M${x} ${low}V${high}M${x - 4} ${low}h8M${x - 4} ${high}h8`;

function tooltip({ name, ideal }: SpeedLine, { batch, result }: SpeedPoint) {
  return {
    title: `${name}, batch ${batch}`,
    lines: [
      result.speedUp ? speedUpStory(result.speedUp) : '',
      `ideal ${times(ideal)}: parameters of the original model ÷ of this one`,
      producedBy(result.device),
    ],
  };
}

interface IdealProps {
  lines: readonly SpeedLine[];
  /** The variant whose own ideal is drawn. */
  active: string | null;
  plot: { x: number; y: number; width: number };
  yOf: (value: number) => number;
}

/** A dashed line for each group of variants of about one size; a band where their ideals differ a little. */
function Ideals({ lines, active, plot, yOf }: IdealProps) {
  const groups = idealGroups(lines.map(({ ideal }) => ideal));
  const own = lines.find(({ key }) => key === active);
  const [left, right] = [plot.x, plot.x + plot.width];
  return (
    <>
      {groups.map(({ low, high }) => {
        const [top, bottom] = [yOf(high), yOf(low)];
        const same = times(low) === times(high);
        const words = same ? `ideal ${times(high)}` : `ideal ${times(low).replace('×', '')} to ${times(high)}`;
        return (
          <g key={low} className="ideal">
            {!same && <rect x={left} width={plot.width} y={top} height={Math.max(1, bottom - top)} />}
            <line x1={left} x2={right} y1={top} y2={top} />
            {!same && <line x1={left} x2={right} y1={bottom} y2={bottom} />}
            {groups.length <= 4 && (
              <text x={left + 4} y={top - 5}>
                {words}
              </text>
            )}
          </g>
        );
      })}
      {own && (
        <line className={`own-ideal repair-${own.kind}`} x1={left} x2={right} y1={yOf(own.ideal)} y2={yOf(own.ideal)} />
      )}
    </>
  );
}
