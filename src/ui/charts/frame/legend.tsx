/** @file The legend of a chart: small drawings with the classes of the chart's own marks, so that images can take them too. */
import type { ReactNode } from 'react';

export interface LegendItem {
  readonly text: string;
  /** Drawn into a box of 22 × 14 px around its middle, (11, 7). */
  readonly drawing: ReactNode;
  /** Shown where the chart is too narrow for names beside its marks. */
  readonly narrow?: true;
}

export function ChartLegend({ items }: { items: readonly LegendItem[] }) {
  if (items.length === 0) return null;
  return (
    <ul className="chart-legend">
      {items.map(({ text, drawing, narrow }) => (
        <li key={text} className={narrow ? 'narrow-only' : undefined}>
          <svg width={22} height={14} viewBox="0 0 22 14" aria-hidden="true">
            {drawing}
          </svg>
          <span>{text}</span>
        </li>
      ))}
    </ul>
  );
}
