/** @file The chosen criterion's scores as bars that stand on the strip's columns. */
import { useMemo } from 'react';
import { Bar, BarChart, Cell, LabelList, ReferenceLine, ResponsiveContainer, Tooltip, XAxis, YAxis } from 'recharts';
import type { Ranked } from '../importance/useStrip';
import { useCurrent } from '../now/useCurrent';
import { significant } from '../parts/format';
import { useLab } from '../parts/useLab';
import { OutsideTicks } from './axisTicks';
import { type ScoreBar, scoresView } from './scoresData';
import { TooltipBox } from './tooltip';

/** With more blocks the values would touch; tooltip and table still have them. */
const mostLabels = 16;

/** The score, with the strip's sign when the bar is cut off. */
function barLabel({ score, beyond }: ScoreBar): string {
  return score === null ? '' : `${beyond ? '▲' : ''}${significant(score)}`;
}

export default function ScoresChart({ ranked, layers }: { ranked: Ranked; layers: number }) {
  const removed = useLab((state) => state.plan?.removeBlocks);
  const { whole } = useCurrent();
  const base = ranked.criterion === 'ppl' ? (whole?.perplexity ?? null) : null;
  const view = useMemo(() => scoresView(ranked, layers, new Set(removed), base), [ranked, layers, removed, base]);
  return (
    <div className="strip-row scores-row">
      <div className="strip-label scores-label">
        <b>{ranked.label}</b>
        <span className="hint">{view.log ? 'log axis' : 'linear axis'}</span>
      </div>
      <div
        className="scores-plot"
        role="img"
        aria-label={`${ranked.label} of each block as bars; the table below has the values`}
      >
        <ResponsiveContainer width="100%" height="100%">
          <BarChart
            data={view.bars}
            margin={{ top: 18, right: 0, bottom: 7, left: 0 }}
            barCategoryGap="22%"
            accessibilityLayer={false}
          >
            <XAxis dataKey="block" hide />
            <YAxis hide scale={view.log ? 'log' : 'linear'} domain={view.domain} ticks={view.ticks} allowDataOverflow />
            <OutsideTicks ticks={view.ticks} />
            <Tooltip
              cursor={{ fill: 'var(--hover)' }}
              isAnimationActive={false}
              content={({ active, payload }) => {
                const bar = payload?.[0]?.payload as ScoreBar | undefined;
                if (!active || !bar || bar.score === null) return null;
                const lines = [`${ranked.label.toLowerCase()} ${significant(bar.score)}`];
                return <TooltipBox title={bar.removed ? `${bar.name}, cut` : bar.name} lines={lines} />;
              }}
            />
            <Bar dataKey="drawn" isAnimationActive={false} radius={[3, 3, 0, 0]}>
              {view.bars.map((bar) => (
                <Cell
                  key={bar.block}
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
                    return layers <= mostLabels || bar.beyond ? barLabel(bar) : '';
                  }}
                />
              )}
            </Bar>
            {base !== null && <ReferenceLine y={base} className="base-line" ifOverflow="hidden" />}
          </BarChart>
        </ResponsiveContainer>
      </div>
      <div className="strip-order scores-note">{base !== null && `dashed: whole model, ${significant(base)}`}</div>
    </div>
  );
}
