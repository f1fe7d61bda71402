/** @file Hand-drawn axis parts for charts on the page's own grid. */
import { usePlotArea, useXAxisScale, useYAxisScale } from 'recharts';
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

/** The numbers of the columns below the plot. The page has them above the strip, so that only images show them. */
export function ColumnNumbers({ count }: { count: number }) {
  const scale = useXAxisScale();
  const plot = usePlotArea();
  if (!scale || !plot) return null;
  const step = Math.ceil((count * 20) / plot.width); // a number takes about 20 px
  return (
    <g>
      {Array.from({ length: Math.ceil(count / step) }, (_, index) => index * step).map((column) => (
        <text
          key={column}
          className="image-only"
          visibility="hidden"
          x={scale(column, { position: 'middle' })}
          y={plot.y + plot.height + 18}
          textAnchor="middle"
        >
          {column}
        </text>
      ))}
    </g>
  );
}
