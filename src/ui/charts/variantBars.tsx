/** @file Horizontal bars, one per variant, with whiskers: the form that the charts of latency and of right answers share. */
import type { ReactNode } from 'react';
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
import type { Kind } from './compare/variantPoints';
import { barRoom } from './sizes';
import { TooltipBox } from './tooltip';

/** What every such bar has. */
export interface VariantBar {
  readonly variant: string;
  readonly name: string;
  readonly kind: Kind;
  /** It is the variant that the page shows. */
  readonly now?: boolean;
}

interface Props<T extends VariantBar> {
  bars: readonly T[];
  length: (bar: T) => number;
  /** Half the length of the line over the bar's end. */
  whisker: (bar: T) => number;
  /** Value at the right end, with room for the texts behind the bars. */
  end: number;
  ticks: readonly number[];
  format: (value: number) => string;
  lines: (bar: T) => string[];
  /** Lines and texts over the bars. */
  children: ReactNode;
}

export function VariantBars<T extends VariantBar>(props: Props<T>) {
  const { bars, length, whisker, end, ticks, format, lines, children } = props;
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
          tickFormatter={format}
        />
        <YAxis type="category" dataKey="variant" hide />
        <Tooltip
          cursor={{ fill: 'var(--hover)' }}
          isAnimationActive={false}
          content={({ active, payload }) => {
            const bar = payload?.[0]?.payload as T | undefined;
            return active && bar ? <TooltipBox title={bar.name} lines={lines(bar)} /> : null;
          }}
        />
        <Bar dataKey={length} barSize={16} isAnimationActive={false} radius={[0, 3, 3, 0]}>
          {bars.map((bar) => (
            <Cell key={bar.variant} className={bar.now ? `bar-${bar.kind} bar-now` : `bar-${bar.kind}`} />
          ))}
          <ErrorBar
            dataKey={whisker}
            direction="x"
            width={5}
            strokeWidth={1.6}
            className="error-bar"
            isAnimationActive={false}
          />
        </Bar>
        {children}
      </BarChart>
    </ResponsiveContainer>
  );
}

interface TextsProps<T extends VariantBar> {
  bars: readonly T[];
  className?: string;
  /** Value behind which a bar's text stands. */
  textAt: (bar: T) => number;
  text: (bar: T) => string;
  /** Behind the variant's name. */
  remark: (bar: T) => ReactNode;
}

/** The variant's name above its bar, its value to the right. Stands within `VariantBars`. */
export function BarTexts<T extends VariantBar>({ bars, className, textAt, text, remark }: TextsProps<T>) {
  const x = useXAxisScale();
  const y = useYAxisScale();
  if (!x || !y) return null;
  return (
    <g className={className ? `bar-texts ${className}` : 'bar-texts'}>
      {bars.map((bar) => {
        const middle = y(bar.variant, { position: 'middle' });
        const start = x(0);
        const right = x(textAt(bar));
        if (middle === undefined || start === undefined || right === undefined) return null;
        return (
          <g key={bar.variant}>
            <text className={bar.now ? 'label-now' : 'bar-name'} x={start} y={middle - 14}>
              {bar.name}
              {bar.now && ' (now)'}
              {remark(bar)}
            </text>
            <text className="bar-value" x={right + 8} y={middle + 4}>
              {text(bar)}
            </text>
          </g>
        );
      })}
    </g>
  );
}
