/**
 * @file Perplexity against parameters kept along the searches. Searches over blocks are solid lines with circles, searches
 * over attentions and MLPs dashed lines with diamonds; the set of an evolutionary search is a triangle.
 */
import { useMemo } from 'react';
import {
  CartesianGrid,
  ResponsiveContainer,
  Scatter,
  ScatterChart,
  type ScatterShapeProps,
  Tooltip,
  usePlotArea,
  useXAxisScale,
  useYAxisScale,
  XAxis,
  YAxis,
} from 'recharts';
import { percent, perplexity } from '../parts/format';
import { logScale, plotMargin, shareAxis } from './axisProps';
import { alongLine, placeLabels } from './labels';
import type { PathPoint, SearchPath } from './searchData';
import { keptAxis, logAxis } from './ticks';
import { TooltipBox } from './tooltip';

export default function SearchChart({ paths }: { paths: readonly SearchPath[] }) {
  const all = useMemo(() => paths.flatMap(({ points }) => points), [paths]);
  const y = useMemo(() => logAxis(all.map((point) => point.perplexity)), [all]);
  const x = useMemo(() => keptAxis(all.map((point) => point.kept)), [all]);
  return (
    <ResponsiveContainer width="100%" height="100%">
      <ScatterChart margin={plotMargin} accessibilityLayer={false}>
        <CartesianGrid vertical={false} stroke="var(--line)" syncWithTicks />
        <XAxis {...shareAxis(x)} />
        <YAxis {...logScale(y, 'perplexity')} />
        <Tooltip
          cursor={false}
          isAnimationActive={false}
          content={({ active, payload }) => {
            const point = payload?.[0]?.payload as PathPoint | undefined;
            if (!active || !point) return null;
            const lines = [
              `perplexity ${perplexity(point.perplexity)}`,
              `${percent(point.kept / 100)} of the parameters`,
            ];
            return <TooltipBox title={point.name} lines={lines} />;
          }}
        />
        {paths.map(({ id, units, points }) => (
          <Scatter
            key={id}
            data={points}
            line={looks[units].line}
            shape={looks[units].shape}
            isAnimationActive={false}
          />
        ))}
        <StepLabels paths={paths} />
        <text x={4} y={12} className="axis-label">
          perplexity, log axis
        </text>
      </ScatterChart>
    </ResponsiveContainer>
  );
}

/** The ring around the edited plan. */
function Ring({ cx, cy, payload }: ScatterShapeProps) {
  return (payload as PathPoint).now ? <circle className="mark-now" cx={cx} cy={cy} r={9.5} /> : null;
}

function BlockMark(props: ScatterShapeProps) {
  const { cx, cy } = props;
  return (
    <g>
      <circle className="mark-depth" cx={cx} cy={cy} r={4.5} />
      <Ring {...props} />
    </g>
  );
}

function SubBlockMark(props: ScatterShapeProps) {
  const { cx, cy } = props;
  if (cx === undefined || cy === undefined) return <g />;
  return (
    <g>
      <path className="mark-sub-block" d={`M${cx} ${cy - 5.5}l5.5 5.5-5.5 5.5-5.5-5.5z`} />
      <Ring {...props} />
    </g>
  );
}

function SetMark(props: ScatterShapeProps) {
  const { cx, cy } = props;
  if (cx === undefined || cy === undefined) return <g />;
  return (
    <g>
      <path className="mark-set" d={`M${cx} ${cy - 6.5}l6 11h-12z`} />
      <Ring {...props} />
    </g>
  );
}

const looks = {
  blocks: {
    line: { stroke: 'var(--depth)', strokeWidth: 2, strokeOpacity: 0.6 },
    shape: BlockMark,
    label: 'label-depth',
  },
  subBlocks: {
    line: { stroke: 'var(--sub-block)', strokeWidth: 2, strokeOpacity: 0.7, strokeDasharray: '5 4' },
    shape: SubBlockMark,
    label: 'label-sub-block',
  },
  set: { line: false, shape: SetMark, label: 'label-set' },
} as const;

/** The unit that each step removed, beside its point where it does not overlap. */
function StepLabels({ paths }: { paths: readonly SearchPath[] }) {
  const x = useXAxisScale();
  const y = useYAxisScale();
  const plot = usePlotArea();
  if (!x || !y || !plot) return null;
  const area = { left: plot.x - 4, right: plot.x + plot.width + 10, top: plot.y - 8, bottom: plot.y + plot.height + 6 };
  const placed = paths.map(({ units, points }) =>
    points.map((point) => ({ ...point, units, x: x(point.kept) ?? 0, y: y(point.perplexity) ?? 0 })),
  );
  const requests = placed.flat().map((point) => ({ key: point.key, text: point.short, x: point.x, y: point.y }));
  const points = new Map(placed.flat().map((point) => [point.key, point]));
  return (
    <g className="point-labels">
      {placeLabels(
        requests,
        area,
        placed.flatMap((path) => alongLine(path)),
      ).map((label) => {
        const { units, now } = points.get(label.key)!;
        const className = now ? 'label-now' : looks[units].label;
        return (
          <text key={label.key} className={className} x={label.labelX} y={label.labelY} textAnchor={label.anchor}>
            {label.text}
          </text>
        );
      })}
    </g>
  );
}
