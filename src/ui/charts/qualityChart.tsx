/** @file Chart of perplexity (log) against the share of parameters kept. */
import { useMemo } from 'react';
import {
  CartesianGrid,
  ReferenceLine,
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
import { producedBy } from '../parts/names';
import { logScale, plotMargin, shareAxis } from './axisProps';
import { Mark } from './compare/mark';
import { alongLine, placeLabels } from './labels';
import { bestPerSize, type QualityPoint } from './qualityData';
import { keptAxis, logAxis } from './ticks';
import { TooltipBox } from './tooltip';

interface Props {
  points: readonly QualityPoint[];
  /** Best perplexity that any model can reach on this text. */
  floor: number | undefined;
}

export default function QualityChart({ points, floor }: Props) {
  const y = useMemo(() => logAxis([...points.map((p) => p.perplexity), ...(floor ? [floor] : [])]), [points, floor]);
  const x = useMemo(() => keptAxis(points.map((p) => p.kept)), [points]);
  return (
    <ResponsiveContainer width="100%" height="100%">
      <ScatterChart margin={plotMargin} accessibilityLayer={false}>
        <CartesianGrid vertical={false} stroke="var(--line)" syncWithTicks />
        <XAxis {...shareAxis(x)} />
        <YAxis {...logScale(y, 'perplexity')} />
        {floor !== undefined && <ReferenceLine y={floor} className="floor-line" />}
        <Tooltip
          cursor={false}
          isAnimationActive={false}
          content={({ active, payload }) => {
            const point = payload?.[0]?.payload as QualityPoint | undefined;
            return active && point ? <TooltipBox title={point.name} lines={pointLines(point)} /> : null;
          }}
        />
        <Scatter
          data={bestPerSize(points)}
          line={{ stroke: 'var(--depth)', strokeWidth: 2, strokeOpacity: 0.5 }}
          shape={() => <g />}
          isAnimationActive={false}
          tooltipType="none"
        />
        <Scatter data={[...points]} shape={PointMark} isAnimationActive={false} />
        <PointLabels points={points} floor={floor} />
        <text x={4} y={12} className="axis-label">
          perplexity, log axis
        </text>
      </ScatterChart>
    </ResponsiveContainer>
  );
}

export function pointLines(point: QualityPoint): string[] {
  const { result } = point;
  return [
    `perplexity ${perplexity(point.perplexity)}`,
    `${percent(point.kept / 100)} of the parameters`,
    producedBy(result.device),
  ];
}

/** The mark of the variant's kind, with a ring around the edited plan. */
function PointMark({ cx, cy, payload }: ScatterShapeProps) {
  if (cx === undefined || cy === undefined) return <g />;
  const { kind, now } = payload as QualityPoint;
  return (
    <g>
      <Mark kind={kind} filled x={cx} y={cy} />
      {now && <circle className="mark-now" cx={cx} cy={cy} r={10.5} />}
    </g>
  );
}

/** Labels of the points, placed without overlap. */
function PointLabels({ points, floor }: Props) {
  const x = useXAxisScale();
  const y = useYAxisScale();
  const plot = usePlotArea();
  if (!x || !y || !plot) return null;
  const area = { left: plot.x - 4, right: plot.x + plot.width + 10, top: plot.y - 8, bottom: plot.y + plot.height + 6 };
  const floorY = floor === undefined ? undefined : y(floor);
  const floorText = floor === undefined ? '' : `best possible ${perplexity(floor)}`;
  const requests = points.flatMap((point) => {
    const at = { x: x(point.kept), y: y(point.perplexity) };
    if (at.x === undefined || at.y === undefined) return [];
    const text = point.label;
    return [{ key: point.key, text, x: at.x, y: at.y }];
  });
  const right = plot.x + plot.width;
  const best = bestPerSize(points).map((point) => ({ x: x(point.kept) ?? 0, y: y(point.perplexity) ?? 0 }));
  const obstacles = alongLine(best);
  if (floorY !== undefined) {
    obstacles.push({ left: right - floorText.length * 6.8, right, top: floorY - 16, bottom: floorY + 2 });
  }
  const kinds = new Map(points.map((point) => [point.key, point]));
  return (
    <g className="point-labels">
      {floorY !== undefined && (
        <text className="floor-label" x={right} y={floorY - 5} textAnchor="end">
          {floorText}
        </text>
      )}
      {placeLabels(requests, area, obstacles).map((label) => {
        const point = kinds.get(label.key)!;
        const className = point.now ? 'label-now' : `label-${point.kind}`;
        return (
          <text key={label.key} className={className} x={label.labelX} y={label.labelY} textAnchor={label.anchor}>
            {label.text}
          </text>
        );
      })}
    </g>
  );
}
