/**
 * @file Perplexity (log) of each pruned variant and of what each way of training made of it, one column for each ratio. A stem joins a
 * mark with the line of the original model: its length is the loss that is left.
 */
import { useState } from 'react';
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
import { perplexity } from '../../parts/format';
import { logScale, plotMargin } from '../axisProps';
import { Marks, shortName } from '../compare/marks';
import { type LabelRequest, type PlacedLabel, placeLabels } from '../labels';
import { type RetrainedColumn, type RetrainedMark, retrainedAxis } from './retrainingData';
import { classOf, TrainingMark } from './trainingMark';

interface Props {
  columns: readonly RetrainedColumn[];
  /** Perplexity of the original model; null where it is not known. */
  base: number | null;
}

/** With less room for a mark, px, only the pruned and the best variant of a column have their numbers beside them. */
const numberRoom = 40;

export default function RetrainingChart({ columns, base }: Props) {
  const [room, setRoom] = useState<HTMLElement | null>(null);
  const y = retrainedAxis(columns, base);
  const ends = y.domain.map((value, index) => ({ x: index, y: value }));
  return (
    <div className="mark-room" ref={setRoom}>
      <ResponsiveContainer width="100%" height="100%">
        <ScatterChart margin={{ ...plotMargin, bottom: 30 }} accessibilityLayer={false}>
          <CartesianGrid vertical={false} stroke="var(--line)" syncWithTicks />
          <XAxis
            type="number"
            dataKey="x"
            domain={[-0.5, columns.length - 0.5]}
            tick={false}
            tickLine={false}
            axisLine={false}
            height={10}
            allowDataOverflow
          />
          <YAxis {...logScale(y, 'y')} />
          <Scatter data={ends} shape={() => <g />} isAnimationActive={false} tooltipType="none" />
          <Columns columns={columns} base={base} room={room} />
          <text x={4} y={12} className="axis-label">
            perplexity, log axis
          </text>
        </ScatterChart>
      </ResponsiveContainer>
    </div>
  );
}

function Columns({ columns, base, room }: Props & { room: HTMLElement | null }) {
  const [active, setActive] = useState<string | null>(null);
  const xScale = useXAxisScale();
  const yScale = useYAxisScale();
  const plot = usePlotArea();
  if (!xScale || !yScale || !plot) return null;
  const bottom = plot.y + plot.height;
  const yOf = (value: number): number => yScale(value) ?? bottom;
  const floor = base === null ? bottom : yOf(base);
  const width = plot.width / columns.length;
  const slots = Math.max(...columns.map(({ marks }) => marks.length));
  const isWide = (width * spread) / slots >= numberRoom;
  const placed = columns.flatMap(({ marks }, index) =>
    marks.map((mark) => ({
      mark,
      x: xScale(index + mark.offset * spread) ?? 0,
      y: yOf(mark.perplexity),
    })),
  );
  const requests = placed.map(({ mark, x, y }) => ({ key: mark.key, text: perplexity(mark.perplexity), x, y }));
  const labels = isWide ? requests.map((each) => aboveMark(each, floor)) : fewNumbers(requests, placed, plot);
  const letters = Math.floor(width / 7);
  return (
    <>
      {columns.map(({ key, label, name }, index) => {
        const middle = xScale(index) ?? 0;
        return (
          <g key={key} className="retrained-column">
            {index > 0 && (
              <line
                className="grid-line"
                x1={middle - width / 2}
                x2={middle - width / 2}
                y1={plot.y}
                y2={bottom + 34}
              />
            )}
            <text className="retrained-ratio" x={middle} y={bottom + 20} textAnchor="middle">
              {label}
            </text>
            <text x={middle} y={bottom + 36} textAnchor="middle">
              {shortName(name, letters)}
            </text>
          </g>
        );
      })}
      {base !== null && (
        <g>
          <line className="retrained-base" x1={plot.x} x2={plot.x + plot.width} y1={floor} y2={floor} />
          <text className="label-base" x={plot.x + 4} y={floor + 15}>
            original model {perplexity(base)}
          </text>
        </g>
      )}
      {placed.map(({ mark, x, y }) => (
        <line
          key={mark.key}
          className={`retrained-stem retrained-${classOf(mark.training)}${active === null || active === mark.key ? '' : ' faint'}`}
          x1={x}
          x2={x}
          y1={floor}
          y2={y}
        />
      ))}
      <Marks
        label="Variants"
        room={room}
        active={active}
        onActive={setActive}
        marks={placed.map(({ mark, x, y }) => ({
          ...{ key: mark.key, x, y, title: mark.title, lines: mark.lines },
          drawing: <TrainingMark training={mark.training} x={x} y={y} />,
        }))}
      />
      <g className="point-labels">
        {labels.map((label) => {
          const mark = placed.find((each) => each.mark.key === label.key)!.mark;
          return (
            <text
              key={label.key}
              className={`retrained-number retrained-text-${classOf(mark.training)}${mark.best ? ' best' : ''}`}
              x={label.labelX}
              y={label.labelY}
              textAnchor={label.anchor}
            >
              {label.text}
            </text>
          );
        })}
      </g>
    </>
  );
}

/** The number above its mark; below it where the mark is below the original model. */
const aboveMark = (request: LabelRequest, floor: number): PlacedLabel => ({
  ...request,
  labelX: request.x,
  labelY: request.y > floor ? request.y + 22 : request.y - 13,
  anchor: 'middle',
});

interface PlacedMark {
  readonly mark: RetrainedMark;
  readonly x: number;
  readonly y: number;
}

/** Numbers of the pruned and the best variant, beside other marks and their stems. */
function fewNumbers(
  requests: readonly LabelRequest[],
  placed: readonly PlacedMark[],
  { x, y, width, height }: { x: number; y: number; width: number; height: number },
): PlacedLabel[] {
  const isTold = (key: string): boolean =>
    placed.some(({ mark }) => mark.key === key && (mark.best || mark.training === 'pruned'));
  const marks = placed.map((each) => ({ left: each.x - 9, right: each.x + 9, top: each.y - 9, bottom: each.y + 9 }));
  const stems = placed.map((each) => ({ left: each.x - 2, right: each.x + 2, top: each.y, bottom: y + height }));
  return placeLabels(
    requests.filter(({ key }) => isTold(key)),
    { left: x - 6, right: x + width + 10, top: y - 18, bottom: y + height },
    [...marks, ...stems],
    7.4,
  );
}

/** The share of a column's width that its marks take. */
const spread = 0.84;
