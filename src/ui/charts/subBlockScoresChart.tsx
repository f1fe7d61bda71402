/** @file Scores of sub-blocks: two bars per block on the strip's columns, with the MLP's hatched. */
import { useMemo } from 'react';
import { Bar, BarChart, type BarShapeProps, ReferenceLine, ResponsiveContainer, Tooltip, XAxis, YAxis } from 'recharts';
import { removedSubBlocks } from '../../lab/page/subBlocks';
import { useLab } from '../parts/useLab';
import type { Ranked } from '../strip/useStrip';
import { ColumnNumbers, OutsideTicks } from './axisTicks';
import { type BarPair, barPairs, type ScoreBar, scoresView } from './scoresData';
import { ScoresFrame } from './scoresFrame';
import { TooltipBox } from './tooltip';

const key = (
  <span className="sub-block-key hint">
    <i className="key attention" /> attention
    <i className="key mlp" /> MLP
  </span>
);

export default function SubBlockScoresChart({ ranked, layers }: { ranked: Ranked; layers: number }) {
  const plan = useLab((state) => state.plan);
  const view = useMemo(
    () => scoresView(ranked, 2 * layers, plan ? removedSubBlocks(plan) : new Set()),
    [ranked, layers, plan],
  );
  const pairs = useMemo(() => barPairs(view.bars), [view]);
  return (
    <ScoresFrame ranked={ranked} log={view.log} what="attention and MLP" legend={key} legendWords="hatched: MLP">
      <ResponsiveContainer width="100%" height="100%">
        <BarChart
          data={pairs}
          margin={{ top: 18, right: 0, bottom: 7, left: 0 }}
          barCategoryGap="14%"
          barGap={2}
          accessibilityLayer={false}
        >
          <defs>
            <pattern id="mlp-hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
              <line x1="0" y1="0" x2="0" y2="5" className="hatch-line" />
            </pattern>
          </defs>
          <XAxis dataKey="block" hide />
          <YAxis hide scale={view.log ? 'log' : 'linear'} domain={view.domain} ticks={view.ticks} allowDataOverflow />
          <OutsideTicks ticks={view.ticks} />
          <ColumnNumbers count={layers} />
          {ranked.scores.reference !== undefined && (
            <ReferenceLine y={ranked.scores.reference} stroke="var(--soft)" strokeDasharray="5 4" />
          )}
          <Tooltip
            cursor={{ fill: 'var(--hover)' }}
            isAnimationActive={false}
            content={({ active, payload }) => {
              const pair = payload?.[0]?.payload as BarPair | undefined;
              if (!active || !pair) return null;
              return (
                <TooltipBox
                  title={`block ${pair.block}, ${ranked.label.toLowerCase()}`}
                  lines={[told('attention', pair.attention, ranked), told('MLP', pair.mlp, ranked)]}
                />
              );
            }}
          />
          <Bar dataKey="attention.drawn" shape={AttentionBar} isAnimationActive={false} />
          <Bar dataKey="mlp.drawn" shape={MlpBar} isAnimationActive={false} />
        </BarChart>
      </ResponsiveContainer>
    </ScoresFrame>
  );
}

function told(name: string, { score, removed }: ScoreBar, { format }: Ranked): string {
  return `${name} ${score === null ? 'has no score' : format(score)}${removed ? ', cut' : ''}`;
}

const AttentionBar = ({ payload, ...box }: BarShapeProps) => (
  <SubBlockBar {...box} bar={(payload as BarPair).attention} />
);
const MlpBar = ({ payload, ...box }: BarShapeProps) => <SubBlockBar {...box} bar={(payload as BarPair).mlp} hatched />;

interface SubBlockBarProps extends Pick<BarShapeProps, 'x' | 'y' | 'width' | 'height'> {
  bar: ScoreBar;
  hatched?: boolean;
}

/** A bar in the ramp's colour; dashed if the sub-block is removed; with a ▲ if the bar is cut off. */
function SubBlockBar({ x, y, width, height, bar, hatched = false }: SubBlockBarProps) {
  const box = { x, y, width, height, rx: 2 };
  return (
    <g>
      <rect
        {...box}
        fill={bar.removed ? 'var(--cut-soft)' : bar.colour}
        stroke={bar.removed ? 'var(--cut)' : 'var(--edge)'}
        {...(bar.removed ? { strokeDasharray: '3 3' } : {})}
      />
      {hatched && <rect {...box} fill="url(#mlp-hatch)" />}
      {bar.beyond && (
        <text className="bar-label" x={x + width / 2} y={y - 4} textAnchor="middle">
          ▲
        </text>
      )}
    </g>
  );
}
