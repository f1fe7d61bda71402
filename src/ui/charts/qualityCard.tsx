/** @file Card with the perplexity of variants against their size. */
import { useMemo } from 'react';
import { corpusTitle } from '../corpora/describe';
import { Disclosure } from '../parts/disclosure';
import { integer, percent, perplexity } from '../parts/format';
import { producedBy } from '../parts/names';
import { useLab } from '../parts/useLab';
import { LazyQualityChart } from './lazy';
import { qualityPoints } from './qualityData';
import { chartHeights } from './sizes';

export function QualityCard() {
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
  return (
    <section className="card" aria-labelledby="quality-title">
      <h2 id="quality-title">Quality against size</h2>
      <p className="sub">
        {points.length > 0
          ? `Perplexity on ${integer(tokens)} held-out tokens${text ? ` of ${corpusTitle(text.corpus, corpora)}` : ''} · ${makers.join(' · ')}`
          : 'Perplexity on held-out text against the share of parameters kept'}
      </p>
      {points.length > 0 ? (
        <>
          <LazyQualityChart points={points} floor={floor} />
          <div className="chart-key">
            <span>
              <i className="key base" /> original model
            </span>
            <span>
              <i className="key depth" /> −n: without block n; “attn n” or “MLP n”: without that sub-block
            </span>
            <span>
              <i className="key now" /> the plan being edited
            </span>
            <span>
              <i className="key best" /> best at each size
            </span>
          </div>
          <Disclosure summary="As a table">
            <div className="table-scroll">
              <table className="table slim">
                <thead>
                  <tr>
                    <th scope="col">variant</th>
                    <th scope="col">kept</th>
                    <th scope="col">perplexity</th>
                    <th scope="col">runtime</th>
                  </tr>
                </thead>
                <tbody>
                  {points.map((point) => (
                    <tr key={point.key}>
                      <th scope="row">{point.title}</th>
                      <td>{percent(point.kept / 100)}</td>
                      <td>{perplexity(point.perplexity)}</td>
                      <td>{producedBy(point.result.device)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          </Disclosure>
        </>
      ) : (
        <div className="chart-empty" style={{ minHeight: chartHeights.quality }}>
          <p>The original model is the first point; every benchmarked variant adds one.</p>
        </div>
      )}
    </section>
  );
}
