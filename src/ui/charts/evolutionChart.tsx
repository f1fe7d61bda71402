/** @file Chart of the best set's divergence (log) by generation. */
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
import { integer, significant } from '../parts/format';
import { logScale, namedAxis, plotMargin } from './axisProps';
import { type GenerationPoint, generationAxis } from './evolutionData';
import { logAxis } from './ticks';
import { TooltipBox } from './tooltip';

interface Props {
  points: readonly GenerationPoint[];
  /** Total generations of the search. */
  generations: number;
}

export default function EvolutionChart({ points, generations }: Props) {
  const y = useMemo(() => logAxis(points.map(({ kl }) => kl)), [points]);
  const x = useMemo(() => generationAxis(generations), [generations]);
  return (
    <ResponsiveContainer width="100%" height="100%">
      <ScatterChart margin={{ ...plotMargin, right: 76 }} accessibilityLayer={false}>
        <CartesianGrid vertical={false} stroke="var(--line)" syncWithTicks />
        <XAxis {...namedAxis(x, 'generation')} dataKey="generation" allowDecimals={false} />
        <YAxis {...logScale(y, 'kl')} />
        <Tooltip
          cursor={false}
          isAnimationActive={false}
          content={({ active, payload }) => {
            const point = payload?.[0]?.payload as GenerationPoint | undefined;
            if (!active || !point) return null;
            const lines = [
              `KL ${significant(point.kl)} nats per token`,
              `${integer(point.evaluations)} candidates so far`,
            ];
            return <TooltipBox title={`generation ${point.generation}`} lines={lines} />;
          }}
        />
        <Scatter
          data={[...points]}
          line={{ stroke: 'var(--depth)', strokeWidth: 2, strokeOpacity: 0.6 }}
          lineJointType="stepAfter"
          shape={Mark}
          isAnimationActive={false}
        />
        <EndLabels points={points} />
        <text x={4} y={12} className="axis-label">
          KL from the original model, nats per token, log axis
        </text>
      </ScatterChart>
    </ResponsiveContainer>
  );
}

/** A circle where a generation improved the best set; a dot otherwise. */
function Mark({ cx, cy, payload }: ScatterShapeProps) {
  if (cx === undefined || cy === undefined) return <g />;
  return <circle className="mark-depth" cx={cx} cy={cy} r={(payload as GenerationPoint).better ? 4.5 : 1.5} />;
}

/** The first value below its line, and the last beside its point. */
function EndLabels({ points }: Pick<Props, 'points'>) {
  const x = useXAxisScale();
  const y = useYAxisScale();
  const plot = usePlotArea();
  const [first, last] = [points[0], points.at(-1)];
  if (!x || !y || !plot || !first || !last) return null;
  const ends = first === last ? [last] : [first, last];
  return (
    <g className="point-labels">
      {ends.map((point) => (
        <text
          key={point.generation}
          className={point === last ? 'label-now' : 'label-depth'}
          x={(x(point.generation) ?? 0) + 9}
          y={(y(point.kl) ?? 0) + (point === last ? 4 : 16)}
        >
          {significant(point.kl)}
        </text>
      ))}
    </g>
  );
}
