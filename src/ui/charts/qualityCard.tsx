/** @file Card with the perplexity of variants against their size. */
import { useMemo } from 'react';
import { corpusTitle } from '../corpora/describe';
import { integer } from '../parts/format';
import { producedBy } from '../parts/names';
import { useReadOnly } from '../parts/readOnly';
import { useLab } from '../parts/useLab';
import { Mark } from './compare/mark';
import { ChartFrame } from './frame/chartFrame';
import type { LegendItem } from './frame/legend';
import { LazyQualityChart } from './lazy';
import { type QualityPoint, qualityPoints, qualityTable } from './qualityData';
import { chartHeights } from './sizes';

export function QualityCard() {
  const readOnly = useReadOnly();
  const comparison = useLab((state) => state.comparison);
  const base = useLab((state) => state.base);
  const live = useLab((state) => state.live);
  const plan = useLab((state) => state.plan);
  const ownWeights = useLab((state) => state.ownWeights);
  const variants = useLab((state) => state.variants);
  const draft = useLab((state) => state.draft);
  const known = useLab((state) => state.model?.card?.floorPerplexity);
  const corpora = useLab((state) => state.corpora);
  const points = useMemo(
    () => qualityPoints({ comparison, base, live, plan, ownWeights, variants, draft }),
    [comparison, base, live, plan, ownWeights, variants, draft],
  );
  const makers = [...new Set(points.map((point) => producedBy(point.result.device)))];
  const { tokens = 0, text } = points[0]?.result ?? {};
  const floor = text?.corpus === 'evaluation' ? known : undefined;
  const source = text ? ` of ${corpusTitle(text.corpus, corpora)}` : '';
  const note =
    points.length > 0
      ? `Perplexity on ${integer(tokens)} held-out tokens${source} · ${makers.join(' · ')}`
      : 'Perplexity on held-out text against the share of parameters kept';
  if (readOnly && points.length === 0) return null;
  return (
    <section className="card" aria-labelledby="quality-title">
      <h2 id="quality-title">Quality against size</h2>
      <p className="sub">{note}</p>
      {points.length > 0 ? (
        <ChartFrame
          title="Quality against size"
          name="quality-size"
          note={note}
          legend={legendOf(points)}
          table={qualityTable(points)}
        >
          <LazyQualityChart points={points} floor={floor} />
        </ChartFrame>
      ) : (
        <div className="chart-empty" style={{ minHeight: chartHeights.quality }}>
          <p>The original model is the first point; every benchmarked variant adds one.</p>
        </div>
      )}
    </section>
  );
}

function legendOf(points: readonly QualityPoint[]): LegendItem[] {
  const has = (kind: QualityPoint['kind']): boolean => points.some((point) => point.kind === kind);
  const mark = (kind: QualityPoint['kind']): LegendItem['drawing'] => <Mark kind={kind} filled x={11} y={7} />;
  const depth = '−n: without block n; “attn n” or “MLP n”: without that sub-block';
  const best = <line className="best-line" x1={1} x2={21} y1={7} y2={7} />;
  const now: LegendItem = {
    text: 'the plan being edited',
    drawing: <circle className="mark-now" cx={11} cy={7} r={5.5} />,
  };
  return [
    { text: 'original model', drawing: mark('base') },
    ...(has('depth') ? [{ text: depth, drawing: mark('depth') }] : []),
    ...(has('width') ? [{ text: 'without heads or neurons', drawing: mark('width') }] : []),
    ...(has('mixed') ? [{ text: 'both', drawing: mark('mixed') }] : []),
    ...(points.length > 1 ? [{ text: 'no smaller model is better', drawing: best }] : []),
    ...(points.some((point) => point.now) ? [now] : []),
  ];
}
