/**
 * @file Chart of a training over its steps: the loss at the left axis, the held-out perplexity at the right one. A perplexity is the
 * exponential of a loss, so that both axes show the same heights; the axes of a distillation are independent.
 */
import { useId, useMemo, useState } from 'react';
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
import { integer, perplexity, significant, tick } from '../../parts/format';
import { logScale, namedAxis, plotMargin } from '../axisProps';
import { Marks } from '../compare/marks';
import { spreadOut } from '../compare/speedData';
import {
  isLikelihood,
  type LossPoint,
  lossPoints,
  type References,
  spanOf,
  type TrainingRun,
  trainingAxes,
} from './trainingData';

interface Props {
  run: TrainingRun;
  references: References;
}

const narrowBelow = 520;

export default function TrainingChart({ run, references }: Props) {
  const [room, setRoom] = useState<HTMLElement | null>(null);
  const [width, setWidth] = useState(0);
  const points = useMemo(() => lossPoints(run.losses, spanOf(run.steps)), [run]);
  const axes = useMemo(() => trainingAxes(run, points, references), [run, points, references]);
  const narrow = width < narrowBelow;
  // Two points per axis tell recharts that both axes have data.
  const ends = axes.step.domain.map((x, index) => ({
    x,
    y: axes.loss.domain[index],
    p: axes.perplexity.domain[index],
  }));
  return (
    <div className="mark-room" ref={setRoom}>
      <ResponsiveContainer width="100%" height="100%" onResize={setWidth}>
        <ScatterChart margin={{ ...plotMargin, right: 4 }} accessibilityLayer={false}>
          <CartesianGrid vertical={false} stroke="var(--line)" yAxisId="loss" syncWithTicks />
          <XAxis {...namedAxis(axes.step, 'step')} dataKey="x" tickFormatter={integer} interval={0} allowDataOverflow />
          <YAxis
            yAxisId="loss"
            type="number"
            dataKey="y"
            domain={axes.loss.domain}
            ticks={axes.loss.ticks}
            interval={0}
            allowDataOverflow
            width={40}
            tickLine={false}
            axisLine={false}
            tickFormatter={tick}
          />
          <YAxis {...logScale(axes.perplexity, 'p')} yAxisId="perplexity" orientation="right" />
          <Scatter yAxisId="loss" data={ends} shape={() => <g />} isAnimationActive={false} tooltipType="none" />
          <Scatter yAxisId="perplexity" data={ends} shape={() => <g />} isAnimationActive={false} tooltipType="none" />
          <Drawn run={run} points={points} references={references} room={room} />
          <text x={4} y={12} className="axis-label">
            {isLikelihood(run) ? (narrow ? 'loss, nats' : 'training loss, nats per token') : 'distillation loss'}
          </text>
          <RightLabel>{narrow ? 'perplexity' : 'held-out perplexity, log axis'}</RightLabel>
        </ScatterChart>
      </ResponsiveContainer>
    </div>
  );
}

function RightLabel({ children }: { children: string }) {
  const plot = usePlotArea();
  if (!plot) return null;
  return (
    <text x={plot.x + plot.width + 46} y={12} textAnchor="end" className="axis-label">
      {children}
    </text>
  );
}

interface DrawnProps extends Props {
  points: readonly LossPoint[];
  room: HTMLElement | null;
}

function Drawn({ run, points, references, room }: DrawnProps) {
  const [active, setActive] = useState<string | null>(null);
  const clip = useId();
  const xScale = useXAxisScale();
  const lossScale = useYAxisScale('loss');
  const perplexityScale = useYAxisScale('perplexity');
  const plot = usePlotArea();
  if (!xScale || !lossScale || !perplexityScale || !plot) return null;
  const x = (step: number): number => xScale(step) ?? 0;
  const lossY = (loss: number): number => lossScale(loss) ?? 0;
  const perplexityY = (value: number): number => perplexityScale(value) ?? 0;
  const path = (of: (point: LossPoint) => number): string =>
    points
      .map((point, index) => `${index === 0 ? 'M' : 'L'}${x(point.step).toFixed(1)} ${lossY(of(point)).toFixed(1)}`)
      .join('');
  const marks = run.evaluations.filter((each) => Number.isFinite(each.perplexity));
  const last = marks.at(-1);
  const right = plot.x + plot.width;
  return (
    <>
      <clipPath id={clip}>
        <rect x={plot.x} y={plot.y - 4} width={plot.width} height={plot.height + 8} />
      </clipPath>
      <g clipPath={`url(#${clip})`}>
        <path className="training-loss" d={path(({ loss }) => loss)} />
        <path className="training-smooth" d={path(({ smooth }) => smooth)} />
      </g>
      <path
        className="training-held-out"
        d={marks
          .map(({ step, perplexity: value }, index) => `${index === 0 ? 'M' : 'L'}${x(step)} ${perplexityY(value)}`)
          .join('')}
      />
      <ReferenceLines references={references} left={plot.x} right={right} y={perplexityY} />
      <Marks
        label="Held-out perplexities"
        room={room}
        active={active}
        onActive={setActive}
        marks={marks.map(({ step, perplexity: value }) => {
          const near = points.find((point) => point.step === step);
          return {
            ...{ key: String(step), x: x(step), y: perplexityY(value) },
            title: step === 0 ? 'before the first step' : `after step ${integer(step)}`,
            lines: [
              `held-out perplexity ${perplexity(value)}`,
              ...(near ? [`training loss ${significant(near.smooth)} (running mean)`] : []),
            ],
            drawing: <circle className="training-mark" cx={x(step)} cy={perplexityY(value)} r={5} />,
          };
        })}
      />
      {last && last.step > 0 && (
        <g className="point-labels">
          <text
            className="label-held-out"
            x={Math.min(x(last.step) + 20, right + 4)}
            y={perplexityY(last.perplexity) - 11}
            textAnchor="end"
          >
            {perplexity(last.perplexity)}
          </text>
        </g>
      )}
    </>
  );
}

interface LinesProps {
  references: References;
  left: number;
  right: number;
  y: (perplexity: number) => number;
}

/** Lines across the plot, named above them. Drawn over the curves, so that no curve crosses a name. */
function ReferenceLines({ references: { base, before }, left, right, y }: LinesProps) {
  const lines = [
    ...(before === null ? [] : [{ kind: 'before', value: before, name: 'before training' }]),
    ...(base === null ? [] : [{ kind: 'base', value: base, name: 'original model' }]),
  ].filter(({ value }) => Number.isFinite(value));
  const names = spreadOut(
    lines.map(({ value }) => y(value) - 6),
    14,
    0,
    10_000,
  );
  return lines.map(({ kind, value, name }, index) => (
    <g key={kind} className="point-labels">
      <line className={`training-${kind}`} x1={left} x2={right} y1={y(value)} y2={y(value)} />
      <text
        className={`label-${kind === 'base' ? 'base' : 'before'}`}
        x={left + (kind === 'base' ? 6 : (right - left) / 2)}
        y={names[index]}
      >
        {name} {perplexity(value)}
      </text>
    </g>
  ));
}
