/** @file The chosen criterion's scores as bars on the strip's columns. */

import { useMemo } from 'react';
import { Bar, BarChart, Cell, LabelList, ReferenceLine, ResponsiveContainer, Tooltip, XAxis, YAxis } from 'recharts';
import { removedLayers } from '../../pruning/plan';
import { useLab } from '../parts/useLab';
import type { Ranked } from '../strip/useStrip';
import { ColumnNumbers, OutsideTicks } from './axisTicks';
import { type ScoreBar, scoresView } from './scoresData';
import { ScoresFrame } from './scoresFrame';
import { TooltipBox } from './tooltip';

/** With more blocks the labels would touch; tooltip and table still have the values. */
const mostLabels = 16;

/** The score, with a ▲ if the bar is cut off. */
function barLabel({ score, beyond }: ScoreBar, format: Ranked['format']): string {
  return score === null ? '' : `${beyond ? '▲' : ''}${format(score)}`;
}

export default function ScoresChart({ ranked, layers }: { ranked: Ranked; layers: number }) {
  const removed = useLab((state) => state.plan && removedLayers(state.plan, 'block'));
  const view = useMemo(() => scoresView(ranked, layers, new Set(removed ?? [])), [ranked, layers, removed]);
  return (
    <ScoresFrame ranked={ranked} log={view.log} what="block">
      <ResponsiveContainer width="100%" height="100%">
        <BarChart
          data={view.bars}
          margin={{ top: 18, right: 0, bottom: 7, left: 0 }}
          barCategoryGap="22%"
          accessibilityLayer={false}
        >
          <XAxis dataKey="index" hide />
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
              const bar = payload?.[0]?.payload as ScoreBar | undefined;
              if (!active || !bar || bar.score === null) return null;
              const lines = [`${ranked.label.toLowerCase()} ${ranked.format(bar.score)}`];
              return <TooltipBox title={bar.removed ? `${bar.name}, cut` : bar.name} lines={lines} />;
            }}
          />
          <Bar dataKey="drawn" isAnimationActive={false} radius={[3, 3, 0, 0]}>
            {view.bars.map((bar) => (
              <Cell
                key={bar.index}
                fill={bar.removed ? 'var(--cut-soft)' : bar.colour}
                stroke={bar.removed ? 'var(--cut)' : 'var(--edge)'}
                {...(bar.removed ? { strokeDasharray: '3 3' } : {})}
              />
            ))}
            {(layers <= mostLabels || view.bars.some(({ beyond }) => beyond)) && (
              <LabelList
                position="top"
                className="bar-label"
                valueAccessor={(entry) => {
                  const bar = entry.payload as ScoreBar;
                  return layers <= mostLabels || bar.beyond ? barLabel(bar, ranked.format) : '';
                }}
              />
            )}
          </Bar>
        </BarChart>
      </ResponsiveContainer>
    </ScoresFrame>
  );
}
