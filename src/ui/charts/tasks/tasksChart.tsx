/** @file Chart of the share of right answers of each variant, with its standard error. */
import {
  Bar,
  BarChart,
  CartesianGrid,
  Cell,
  ErrorBar,
  ReferenceLine,
  ResponsiveContainer,
  Tooltip,
  useXAxisScale,
  useYAxisScale,
  XAxis,
  YAxis,
} from 'recharts';
import { percent } from '../../parts/format';
import { producedBy } from '../../parts/names';
import { barRoom } from '../sizes';
import { TooltipBox } from '../tooltip';
import { pointsText, shareText, type TaskBar } from './tasksData';

const ticks = [0, 0.25, 0.5, 0.75, 1];
/** Leaves room for the text to the right of a full bar. */
const end = 1.3;

interface Props {
  bars: readonly TaskBar[];
  /** Share of the original model's right answers; null where it was not asked. */
  base: number | null;
}

export default function TasksChart({ bars, base }: Props) {
  return (
    <ResponsiveContainer width="100%" height={bars.length * barRoom + 40}>
      <BarChart
        layout="vertical"
        data={[...bars]}
        margin={{ top: 4, right: 4, bottom: 0, left: 4 }}
        accessibilityLayer={false}
      >
        <CartesianGrid horizontal={false} stroke="var(--line)" syncWithTicks />
        <XAxis
          type="number"
          domain={[0, end]}
          ticks={ticks}
          tickLine={false}
          axisLine={false}
          tickMargin={6}
          tickFormatter={percent}
        />
        <YAxis type="category" dataKey="variant" hide />
        <Tooltip
          cursor={{ fill: 'var(--hover)' }}
          isAnimationActive={false}
          content={({ active, payload }) => {
            const bar = payload?.[0]?.payload as TaskBar | undefined;
            return active && bar ? <TooltipBox title={bar.name} lines={barLines(bar)} /> : null;
          }}
        />
        <Bar dataKey="accuracy" barSize={16} isAnimationActive={false} radius={[0, 3, 3, 0]}>
          {bars.map((bar) => (
            <Cell key={bar.variant} className={`bar-${bar.kind}`} />
          ))}
          <ErrorBar
            dataKey="standardError"
            direction="x"
            width={5}
            strokeWidth={1.6}
            className="error-bar"
            isAnimationActive={false}
          />
        </Bar>
        {base !== null && <ReferenceLine x={base} className="floor-line" />}
        <BarTexts bars={bars} />
      </BarChart>
    </ResponsiveContainer>
  );
}

function barLines({ kept, change, result }: TaskBar): string[] {
  const right = Math.round(result.accuracy * result.items);
  return [
    `${right} of ${result.items} right: ${shareText(result)}`,
    `by length ${percent(result.accuracyNorm)}`,
    ...(change === null ? [] : [`${pointsText(change)} against the original model`]),
    `${percent(kept)} of the parameters kept`,
    producedBy(result.device),
  ];
}

/** The variant's name and its difference from the original model above its bar, its share to the right. */
function BarTexts({ bars }: Pick<Props, 'bars'>) {
  const x = useXAxisScale();
  const y = useYAxisScale();
  if (!x || !y) return null;
  return (
    <g className="bar-texts task-texts">
      {bars.map((bar) => {
        const middle = y(bar.variant, { position: 'middle' });
        const start = x(0);
        // In one column, behind the dashed line and every whisker.
        const right = x(Math.max(1, bar.accuracy + bar.standardError));
        if (middle === undefined || start === undefined || right === undefined) return null;
        return (
          <g key={bar.variant}>
            <text className="bar-name" x={start} y={middle - 14}>
              {bar.name}
              {bar.change !== null && (
                <tspan className="task-change" dx={8}>
                  {pointsText(bar.change)}
                </tspan>
              )}
            </text>
            <text className="bar-value" x={right + 8} y={middle + 4}>
              {shareText(bar)}
            </text>
          </g>
        );
      })}
    </g>
  );
}
