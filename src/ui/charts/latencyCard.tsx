/** @file Card with the latency of the benchmarked variants. */
import { useMemo, useState } from 'react';
import { shownVariant } from '../../lab/page/shownVariant';
import { producedBy, runtimeNames } from '../parts/names';
import { useReadOnly } from '../parts/readOnly';
import { Segmented } from '../parts/segmented';
import { SoftwareBadge } from '../parts/softwareBadge';
import { noDifference, speedUpText } from '../parts/speedUp';
import { useLab } from '../parts/useLab';
import { ChartFrame } from './frame/chartFrame';
import { type LatencyBar, latencyBars, latencySeries, latencyTable } from './latencyData';
import { LazyLatencyChart } from './lazy';
import { chartHeights } from './sizes';

export function LatencyCard() {
  const readOnly = useReadOnly();
  const comparison = useLab((state) => state.comparison);
  const current = useLab(shownVariant);
  const [chosen, setChosen] = useState<string | null>(null);
  const series = useMemo(() => latencySeries(comparison), [comparison]);
  const shown = series.find(({ key }) => key === chosen) ?? series[0];
  const bars = useMemo(() => (shown ? latencyBars(comparison, shown.key, current) : []), [comparison, shown, current]);
  if (readOnly && !bars[0]) return null;
  return (
    <section className="card" aria-labelledby="latency-title">
      <h2 id="latency-title">Latency per variant</h2>
      {shown && bars[0] ? (
        <>
          <p className="sub">
            {protocol(bars[0])} {bars[0].result.device.software && <SoftwareBadge />}
          </p>
          {series.length > 1 && (
            <Segmented
              legend="Runtime and batch size"
              options={series.map(({ key, label }) => ({ value: key, label }))}
              value={shown.key}
              onChange={setChosen}
            />
          )}
          <ChartFrame
            title={`Latency per variant, ${shown.label}`}
            name="latency"
            note={protocol(bars[0])}
            table={latencyTable(bars)}
            below={<NoDifference bars={bars} />}
          >
            <LazyLatencyChart bars={bars} />
          </ChartFrame>
        </>
      ) : (
        <>
          <p className="sub">Median time of a whole generation, with its standard deviation</p>
          <div className="chart-empty" style={{ minHeight: chartHeights.quality }}>
            <p>“Benchmark” times the original model and your variant with ONNX Runtime Web.</p>
          </div>
        </>
      )}
    </section>
  );
}

/** Describes the measurement: tokens, runtime, runs. */
function protocol({ result }: LatencyBar): string {
  const { promptTokens, newTokens, batch, runs, device, runtime } = result;
  const by = device.runtime ? producedBy(device) : runtimeNames[runtime];
  return `${promptTokens} prompt + ${newTokens} new tokens, batch ${batch} · ${by} · median of ${runs} runs, whiskers ± standard deviation · in brackets: 95 % interval of the speed-up over the original model, from alternating runs`;
}

/** Lists inconclusive speed-ups below the chart, because phones have no room for them beside the bars. */
function NoDifference({ bars }: { bars: readonly LatencyBar[] }) {
  const open = bars.filter(({ speedUp }) => speedUp && speedUpText(speedUp).verdict === 'open');
  if (open.length === 0) return null;
  const names = open.map(({ name }) => name).join('; ');
  return (
    <p className="hint">
      The interval includes 1 ({noDifference}): {names}.
    </p>
  );
}
