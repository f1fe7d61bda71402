/** @file Hand-drawn axis parts for charts on the page's own grid. */
import { usePlotArea, useYAxisScale } from 'recharts';
import { tick } from '../parts/format';

/** Horizontal lines, with their values to the left of the plot. */
export function OutsideTicks({ ticks }: { ticks: readonly number[] }) {
  const scale = useYAxisScale();
  const plot = usePlotArea();
  if (!scale || !plot) return null;
  return (
    <g className="outside-ticks">
      {ticks.map((value) => {
        const y = scale(value);
        if (y === undefined || Number.isNaN(y)) return null; // the scale changes one render before its ticks
        return (
          <g key={value}>
            <line className="grid-line" x1={plot.x} x2={plot.x + plot.width} y1={y} y2={y} />
            <text x={plot.x - 6} y={y + 4} textAnchor="end">
              {tick(value)}
            </text>
          </g>
        );
      })}
    </g>
  );
}
