/** @file The three charts that compare depth with width, each with its table and its image. */
import { type ReactNode, useMemo, useState } from 'react';
import { shownVariant } from '../../../lab/page/shownVariant';
import { corpusTitle } from '../../corpora/describe';
import { evaluatedText } from '../../now/current';
import { integer, millisecondsTick, percent } from '../../parts/format';
import { producedBy } from '../../parts/names';
import { useReadOnly } from '../../parts/readOnly';
import { Segmented } from '../../parts/segmented';
import { useLab } from '../../parts/useLab';
import { ChartFrame } from '../frame/chartFrame';
import { LazySpeedChart, LazyVariantScatter } from '../lazy';
import { chartHeights } from '../sizes';
import { Emulated, emulated } from './emulated';
import { scatterLegend, speedLegend } from './legends';
import { bySize, byTime, sizeTable, timeTable } from './scatterData';
import { speedTable } from './speedData';
import { speedLines, type VariantPoint, variantPoints, waysOf } from './variantPoints';
import { Verdicts } from './verdicts';

export function ComparisonCharts() {
  const rows = useLab((state) => state.comparison);
  const text = useLab(evaluatedText);
  const shown = useLab(shownVariant);
  const base = useLab((state) => state.base);
  const ways = useMemo(() => waysOf(rows), [rows]);
  const [chosenWay, chooseWay] = useState<string | null>(null);
  const [chosenBatch, chooseBatch] = useState<string | null>(null);
  const way = ways.find(({ key }) => key === chosenWay) ?? ways[0];
  const batch = way?.batches.find((each) => String(each) === chosenBatch) ?? way?.batches[0];
  const points = useMemo(
    () => variantPoints(rows, { text, way: way?.key, batch, shown, base }),
    [rows, text, way, batch, shown, base],
  );
  const lines = useMemo(() => speedLines(rows, points, way?.key), [rows, points, way]);
  return (
    <>
      {ways.length > 1 && (
        <Segmented
          legend="Runtime of the times"
          options={ways.map(({ key, label }) => ({ value: key, label }))}
          value={way!.key}
          onChange={chooseWay}
        />
      )}
      <div className="comparison-charts">
        <SizeFigure points={points} />
        <Verdicts rows={rows} />
        <TimeFigure points={points} batches={way?.batches ?? []} batch={batch} onBatch={chooseBatch} />
        <SpeedFigure lines={lines} />
      </div>
    </>
  );
}

/** Devices of the numbers, each once; a software adapter is called one. */
function makers(labels: readonly { runtime: string; adapter: string; software: boolean }[], timed: boolean): string {
  const names = [...new Set(labels.map(producedBy))].join('; ');
  return timed && labels.some(({ software }) => software) ? `${names} (${emulated})` : names;
}

function SizeFigure({ points }: { points: readonly VariantPoint[] }) {
  const readOnly = useReadOnly();
  const placed = useMemo(() => bySize(points), [points]);
  const corpora = useLab((state) => state.corpora);
  const scored = placed[0]?.scored;
  const note = scored
    ? `Perplexity on ${integer(scored.tokens)} held-out tokens of ${corpusTitle(scored.text.corpus, corpora)} · ${makers(
        placed.map((point) => point.scored!.device),
        false,
      )}`
    : '';
  const title = 'Perplexity against parameters removed';
  if (readOnly && placed.length === 0) return null;
  return (
    <figure className="comparison-figure" aria-label={title}>
      <h3>{title}</h3>
      {placed.length > 0 ? (
        <>
          <p className="sub">{note}</p>
          <ChartFrame
            title={title}
            name="perplexity-parameters"
            note={note}
            legend={scatterLegend(placed, false)}
            table={sizeTable(placed)}
            below={
              <>
                {placed.length === 1 && !readOnly && <p className="hint">This is one model alone. {howToFill}</p>}
                <OtherTokens points={points} />
              </>
            }
          >
            <LazyVariantScatter points={placed} axis="parameters removed" tick={asPercent} fromZero />
          </ChartFrame>
        </>
      ) : (
        <Empty height={chartHeights.variants}>No perplexity on the page’s held-out tokens yet. {howToFill}</Empty>
      )}
    </figure>
  );
}

/** Names variants whose perplexities were measured on other tokens: they have no place in the chart. */
function OtherTokens({ points }: { points: readonly VariantPoint[] }) {
  const readOnly = useReadOnly();
  const rows = useLab((state) => state.comparison);
  const left = points.filter(
    ({ key, scored }) =>
      scored === null && Object.keys(rows.find(({ variant }) => variant === key)?.perplexity ?? {}).length > 0,
  );
  if (left.length === 0) return null;
  return (
    <p className="hint">
      Measured on other tokens, and therefore not in the chart: {left.map(({ name }) => name).join('; ')}.
      {!readOnly && ' Compare again, or choose the same text under “Texts”.'}
    </p>
  );
}

const howToFill = 'Press “Depth against width at 20 %”, or cut blocks and press “Benchmark this variant”.';
const asPercent = (value: number): string => percent(value / 100);

interface TimeProps {
  points: readonly VariantPoint[];
  batches: readonly number[];
  batch: number | undefined;
  onBatch: (batch: string) => void;
}

function TimeFigure({ points, batches, batch, onBatch }: TimeProps) {
  const readOnly = useReadOnly();
  const placed = useMemo(() => byTime(points), [points]);
  const first = placed[0]?.timed;
  const title = 'Perplexity against measured latency per token';
  const software = placed.some(({ timed }) => timed?.device.software);
  const note = first
    ? `Decoding at batch ${first.batch}: ${first.promptTokens} prompt + ${first.newTokens} new tokens, median of ${first.runs} runs · ${makers(
        placed.map((point) => point.timed!.device),
        true,
      )}`
    : '';
  if (readOnly && placed.length === 0) return null;
  return (
    <figure className="comparison-figure wide" aria-label={title}>
      <h3>{title}</h3>
      {placed.length > 0 ? (
        <>
          <p className="sub">
            {software ? note.replace(` (${emulated})`, '') : note} {software && <Emulated />}
          </p>
          {batches.length > 1 && (
            <Segmented
              legend="Batch size of the latency"
              options={batches.map((each) => ({ value: String(each), label: `batch ${each}` }))}
              value={String(batch)}
              onChange={onBatch}
            />
          )}
          <ChartFrame
            title={title}
            name={`perplexity-latency-batch-${first!.batch}`}
            note={note}
            legend={scatterLegend(
              placed,
              placed.some(({ whisker }) => whisker > 0),
            )}
            table={timeTable(placed)}
            below={placed.length === 1 && !readOnly && <p className="hint">Only one model is timed. {howToFill}</p>}
          >
            <LazyVariantScatter
              points={placed}
              axis={first!.batch === 1 ? 'time per token' : `time per decoding step of ${first!.batch} sequences`}
              tick={millisecondsTick}
              fromZero={false}
            />
          </ChartFrame>
        </>
      ) : (
        <Empty height={chartHeights.variants}>No variant has both a latency and a perplexity yet. {howToFill}</Empty>
      )}
    </figure>
  );
}

function SpeedFigure({ lines }: { lines: ReturnType<typeof speedLines> }) {
  const readOnly = useReadOnly();
  const title = 'Speed-up against batch size';
  const results = lines.flatMap(({ points }) => points.map(({ result }) => result));
  const first = results[0];
  const software = results.some(({ device }) => device.software);
  const batches = new Set(results.map(({ batch }) => batch));
  const note = first
    ? `Whole generations of ${first.promptTokens} prompt + ${first.newTokens} new tokens against the original model, in alternating runs · ${makers(
        results.map(({ device }) => device),
        true,
      )}`
    : '';
  if (readOnly && !first) return null;
  return (
    <figure className="comparison-figure wide" aria-label={title}>
      <h3>{title}</h3>
      {first ? (
        <>
          <p className="sub">
            {software ? note.replace(` (${emulated})`, '') : note} {software && <Emulated />}
          </p>
          <ChartFrame
            title={title}
            name="speed-up-batch"
            note={note}
            legend={speedLegend(lines)}
            table={speedTable(lines)}
            below={
              batches.size === 1 &&
              !readOnly && (
                <p className="hint">
                  One batch size was timed. To see how the speed-up changes, compare at several batch sizes under “Own
                  budget”.
                </p>
              )
            }
          >
            <LazySpeedChart lines={lines} />
          </ChartFrame>
        </>
      ) : (
        <Empty height={140}>
          No variant was timed together with the original model. Press “Depth against width at 20 %”: it times all
          variants by turns.
        </Empty>
      )}
    </figure>
  );
}

function Empty({ height, children }: { height: number; children: ReactNode }) {
  return (
    <div className="chart-empty" style={{ minHeight: height }}>
      <p>{children}</p>
    </div>
  );
}
