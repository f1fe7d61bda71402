/** @file Chart of latency per variant with its standard deviation. */
import {
  Bar,
  BarChart,
  CartesianGrid,
  Cell,
  ErrorBar,
  ResponsiveContainer,
  Tooltip,
  useXAxisScale,
  useYAxisScale,
  XAxis,
  YAxis,
} from 'recharts';
import type { SpeedUp } from '../../report/results';
import { milliseconds, millisecondsTick } from '../parts/format';
import { producedBy } from '../parts/names';
import { speedUpStory, speedUpText } from '../parts/speedUp';
import type { LatencyBar } from './latencyData';
import { barRoom } from './sizes';
import { linearAxis } from './ticks';
import { TooltipBox } from './tooltip';

export default function LatencyChart({ bars }: { bars: readonly LatencyBar[] }) {
  const { ticks } = linearAxis(bars.map((bar) => bar.latencyMs + bar.spread));
  // Leaves room for the text to the right of the longest bar.
  const end = Math.max(...bars.map((bar) => bar.latencyMs + bar.spread)) * 1.6;
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
          ticks={ticks.filter((tick) => tick <= end)}
          tickLine={false}
          axisLine={false}
          tickMargin={6}
          tickFormatter={millisecondsTick}
        />
        <YAxis type="category" dataKey="variant" hide />
        <Tooltip
          cursor={{ fill: 'var(--hover)' }}
          isAnimationActive={false}
          content={({ active, payload }) => {
            const bar = payload?.[0]?.payload as LatencyBar | undefined;
            return active && bar ? <TooltipBox title={bar.name} lines={barLines(bar)} /> : null;
          }}
        />
        <Bar dataKey="latencyMs" barSize={16} isAnimationActive={false} radius={[0, 3, 3, 0]}>
          {bars.map((bar) => (
            <Cell key={bar.variant} className={bar.now ? `bar-${bar.kind} bar-now` : `bar-${bar.kind}`} />
          ))}
          <ErrorBar
            dataKey="spread"
            direction="x"
            width={5}
            strokeWidth={1.6}
            className="error-bar"
            isAnimationActive={false}
          />
        </Bar>
        <BarTexts bars={bars} />
      </BarChart>
    </ResponsiveContainer>
  );
}

function barLines({ result, speedUp }: LatencyBar): string[] {
  return [
    `${milliseconds(result.latencyMs)} ± ${milliseconds(result.spread)}, median of ${result.runs}`,
    `prefill of ${result.promptTokens} tokens ${milliseconds(result.prefillMs)}`,
    `decode ${milliseconds(result.decodeMsPerToken)} per token, ${result.newTokens} tokens`,
    ...(speedUp ? [`speed-up ${speedUpStory(speedUp)}`] : []),
    producedBy(result.device),
  ];
}

/** The variant's name and speed-up above its bar, its time to the right. */
function BarTexts({ bars }: { bars: readonly LatencyBar[] }) {
  const x = useXAxisScale();
  const y = useYAxisScale();
  if (!x || !y) return null;
  return (
    <g className="bar-texts">
      {bars.map((bar) => {
        const middle = y(bar.variant, { position: 'middle' });
        const start = x(0);
        const end = x(bar.latencyMs + bar.spread);
        if (middle === undefined || start === undefined || end === undefined) return null;
        return (
          <g key={bar.variant}>
            <text className={bar.now ? 'label-now' : 'bar-name'} x={start} y={middle - 14}>
              {bar.name}
              {bar.now && ' (now)'}
              {bar.speedUp && <SpeedUpWords speedUp={bar.speedUp} />}
            </text>
            <text className="bar-value" x={end + 8} y={middle + 4}>
              {milliseconds(bar.latencyMs)}
            </text>
          </g>
        );
      })}
    </g>
  );
}

function SpeedUpWords({ speedUp }: { speedUp: SpeedUp }) {
  const { value, interval, verdict } = speedUpText(speedUp);
  return (
    <tspan className={`speed-up ${verdict}`} dx={8}>
      {value} ({interval})
    </tspan>
  );
}
