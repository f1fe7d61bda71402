/** @file Legends of the charts of variants: only what the chart shows. */
import type { LegendItem } from '../frame/legend';
import { Mark } from './mark';
import type { Kind, SpeedLine, VariantPoint } from './variantPoints';

const kindNames: readonly (readonly [Kind, string])[] = [
  ['base', 'original model'],
  ['depth', 'depth: without blocks or sub-blocks'],
  ['width', 'width: without heads or neurons'],
  ['mixed', 'both'],
];

type Marked = Pick<VariantPoint, 'key' | 'name' | 'number' | 'kind' | 'filled' | 'now'>;

function kindsOf(points: readonly Marked[]): LegendItem[] {
  return kindNames
    .filter(([kind]) => points.some((point) => point.kind === kind))
    .map(([kind, text]) => ({ text, drawing: <Mark kind={kind} filled x={11} y={7} /> }));
}

/** Names of numbered marks, for narrow screens. */
function numbersOf(points: readonly Marked[]): LegendItem[] {
  return points
    .filter(({ number }) => number > 0)
    .map(({ kind, filled, number, name }) => ({
      text: `${number} ${name}`,
      drawing: <Mark kind={kind} filled={filled} x={11} y={7} />,
      narrow: true,
    }));
}

export function scatterLegend(points: readonly VariantPoint[], whiskers: boolean): LegendItem[] {
  const repaired = points.find(({ before }) => points.some(({ key }) => key === before));
  const items = kindsOf(points);
  if (repaired) {
    const drawing = (
      <g>
        <line className={`repair-line repair-${repaired.kind}`} x1={4} y1={7} x2={18} y2={7} />
        <g transform="translate(3.3 2.1) scale(0.7)">
          <Mark kind={repaired.kind} filled={false} x={2} y={7} />
        </g>
        <g transform="translate(15 2.1) scale(0.7)">
          <Mark kind={repaired.kind} filled x={2} y={7} />
        </g>
      </g>
    );
    items.push({ text: 'before and after repair', drawing });
  }
  if (whiskers) {
    items.push({ text: '± standard deviation', drawing: <path className="whisker" d="M3 7h16M3 3v8M19 3v8" /> });
  }
  if (points.some(({ now }) => now)) {
    items.push({ text: 'shown in the plan', drawing: <circle className="mark-now" cx={11} cy={7} r={5.5} /> });
  }
  return [...items, ...numbersOf(points)];
}

export function speedLegend(lines: readonly SpeedLine[]): LegendItem[] {
  return [
    ...kindsOf(lines),
    {
      text: 'ideal: speed-up in proportion to the parameters',
      drawing: (
        <g className="ideal">
          <line x1={1} x2={21} y1={7} y2={7} />
        </g>
      ),
    },
    {
      text: '95 % interval',
      drawing: <path className="whisker" d="M11 1v12M7 1h8M7 13h8" />,
    },
    ...numbersOf(lines),
  ];
}
