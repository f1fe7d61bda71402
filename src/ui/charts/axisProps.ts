/** @file What the axes of the scatter charts share: round ticks, no lines, and a logarithm where factors count. */
import { percent, tick } from '../parts/format';
import type { keptAxis, logAxis } from './ticks';

type Axis = ReturnType<typeof logAxis>;

export const plotMargin = { top: 22, right: 12, bottom: 24, left: 4 };

/** An x axis of numbers, with its name below. */
export function namedAxis({ domain, ticks }: Axis, name: string) {
  return {
    type: 'number',
    domain,
    ticks,
    tickLine: false,
    axisLine: false,
    tickMargin: 8,
    label: { value: name, position: 'insideBottom', offset: -18, className: 'axis-label' },
  } as const;
}

/** The share of the parameters that is kept, in percent, from the whole model on. */
export function shareAxis(axis: ReturnType<typeof keptAxis>) {
  return {
    ...namedAxis(axis, 'parameters kept'),
    dataKey: 'kept',
    reversed: true,
    tickFormatter: (value: number) => percent(value / 100),
  } as const;
}

/** A logarithmic y axis. */
export function logScale({ domain, ticks }: Axis, dataKey: string) {
  return {
    type: 'number',
    dataKey,
    scale: 'log',
    domain,
    ticks,
    interval: 0,
    allowDataOverflow: true,
    width: 48,
    tickLine: false,
    axisLine: false,
    tickFormatter: tick,
  } as const;
}
