/** @file Shared props of the scatter charts' axes. */
import { percent, tick } from '../parts/format';
import type { keptAxis, logAxis } from './ticks';

type Axis = ReturnType<typeof logAxis>;

export const plotMargin = { top: 22, right: 12, bottom: 24, left: 4 };

/** A numeric x axis with its name below. */
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

/** The share of kept parameters in percent, with the base at the left. */
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
