/** @file The slides with charts of the page. */
import { useContext, useMemo } from 'react';
import { useStore } from 'zustand';
import { shownVariant } from '../../lab/page/shownVariant';
import { Mark } from '../charts/compare/mark';
import { shortName } from '../charts/compare/marks';
import { bySize, byTime } from '../charts/compare/scatterData';
import { type Kind, speedLines, waysOf } from '../charts/compare/variantPoints';
import { ChartLegend, type LegendItem } from '../charts/frame/legend';
import { latencyBars, latencySeries } from '../charts/latencyData';
import {
  LazyLatencyChart,
  LazyQualityChart,
  LazyScoresChart,
  LazySpeedChart,
  LazyVariantScatter,
} from '../charts/lazy';
import { type QualityPoint, qualityPoints } from '../charts/qualityData';
import { barRoom } from '../charts/sizes';
import { corpusTitle } from '../corpora/describe';
import { integer, millisecondsTick, percent } from '../parts/format';
import { producedBy } from '../parts/names';
import { LabStoreContext, useLab } from '../parts/useLab';
import { meaningOf } from '../strip/menu';
import { firstOut } from '../strip/ranks';
import { useRanked, useShownCriterion } from '../strip/useStrip';
import { Enlarged, SlideFrame } from './frame';
import { chosenBars, pointsOf, scoredMode } from './slides';

const useWholeState = () => useStore(useContext(LabStoreContext));

export function ImportanceSlide() {
  const mode = useLab(scoredMode) ?? 'blocks';
  const ranked = useRanked(mode, useShownCriterion(mode));
  const layers = useLab((state) => state.model?.shape.layers.length ?? 0);
  if (!ranked) return null;
  const { tokens } = ranked.scores.calibration;
  return (
    <SlideFrame
      title={mode === 'blocks' ? 'Which blocks matter?' : 'Which attentions and MLPs matter?'}
      note={`${ranked.label}, on ${integer(tokens)} calibration tokens. Removed first: ${firstOut(ranked.order, mode)}.`}
    >
      <p className="lead">{meaningOf(mode, ranked.criterion)}</p>
      <Enlarged draw={() => <LazyScoresChart ranked={ranked} layers={layers} />} />
    </SlideFrame>
  );
}

const kindNames: readonly (readonly [Kind, string])[] = [
  ['base', 'original'],
  ['depth', 'depth: fewer blocks'],
  ['width', 'width: fewer heads and neurons'],
  ['mixed', 'both'],
];

/** Short names of the marks that a chart has. */
function legendOf(points: readonly { readonly kind: Kind }[]): LegendItem[] {
  return kindNames
    .filter(([kind]) => points.some((point) => point.kind === kind))
    .map(([kind, text]) => ({ text, drawing: <Mark kind={kind} filled x={11} y={7} /> }));
}

/** Beside times of a software adapter. */
const meaningless = 'software adapter: times mean nothing';

/** Devices of the numbers, each once. */
function makers(labels: readonly { runtime: string; adapter: string; software: boolean }[], timed: boolean): string {
  const names = [...new Set(labels.map(producedBy))].join('; ');
  return timed && labels.some(({ software }) => software) ? `${names} (${meaningless})` : names;
}

/** Without its shape, a plan's heads and neurons have long names: such variants are called by their own. */
function withShortLabel(point: QualityPoint): QualityPoint {
  return point.kind === 'width' || point.kind === 'mixed' ? { ...point, label: shortName(point.name) } : point;
}

export function QualitySlide() {
  const state = useWholeState();
  const points = useMemo(() => qualityPoints(state).map(withShortLabel), [state]);
  const result = points[0]?.result;
  if (!result) return null;
  const floor = result.text.corpus === 'evaluation' ? state.model?.card?.floorPerplexity : undefined;
  const on = `${integer(result.tokens)} held-out tokens of ${corpusTitle(result.text.corpus, state.corpora)}`;
  return (
    <SlideFrame
      title="Quality against size"
      note={`Perplexity on ${on}: lower is better. ${makers(
        points.map((point) => point.result.device),
        false,
      )}.`}
    >
      <Enlarged draw={() => <LazyQualityChart points={points} floor={floor} />} />
      <ChartLegend items={legendOf(points)} />
    </SlideFrame>
  );
}

export function SpeedSlide() {
  const state = useWholeState();
  const [series] = latencySeries(state.comparison);
  const shown = shownVariant(state);
  const bars = useMemo(
    () => (series ? latencyBars(state.comparison, series.key, shown) : []),
    [state.comparison, series, shown],
  );
  const result = bars[0]?.result;
  if (!result) return null;
  const protocol = `${result.promptTokens} + ${result.newTokens} tokens, batch ${result.batch}, median of ${result.runs} runs`;
  const speedUps = bars.some(({ speedUp }) => speedUp) ? '; in brackets the 95 % interval of the speed-up' : '';
  return (
    <SlideFrame title="Time of a whole generation" note={`${protocol}${speedUps}. ${makers([result.device], true)}.`}>
      <Enlarged
        draw={({ height }) => {
          const most = Math.max(2, Math.floor((height - 40) / barRoom));
          return <LazyLatencyChart bars={chosenBars(bars, most)} />;
        }}
      />
    </SlideFrame>
  );
}

export function SidesSlide() {
  const state = useWholeState();
  const points = useMemo(() => pointsOf(state), [state]);
  const timed = useMemo(() => byTime(points), [points]);
  const isTimed = new Set(timed.map(({ kind }) => kind)).size > 2;
  const placed = useMemo(() => (isTimed ? timed : bySize(points)), [isTimed, timed, points]);
  const labels = placed.map((point) => (isTimed ? point.timed!.device : point.scored!.device));
  return (
    <SlideFrame
      title="Depth against width"
      note={`Lower and further ${isTimed ? 'left' : 'right'} is better. ${makers(labels, isTimed)}.`}
    >
      <Enlarged
        draw={() => (
          <LazyVariantScatter
            points={placed}
            axis={isTimed ? `time per decoding step, batch ${placed[0]?.timed?.batch ?? 1}` : 'parameters removed'}
            tick={isTimed ? millisecondsTick : asPercent}
            fromZero={!isTimed}
            names
          />
        )}
      />
      <ChartLegend items={legendOf(placed)} />
    </SlideFrame>
  );
}

const asPercent = (value: number): string => percent(value / 100);

export function BatchesSlide() {
  const state = useWholeState();
  const [way] = waysOf(state.comparison);
  const lines = useMemo(() => speedLines(state.comparison, pointsOf(state), way?.key), [state, way?.key]);
  const labels = lines.flatMap(({ points }) => points.map(({ result }) => result.device));
  return (
    <SlideFrame
      title="Speed-up against batch size"
      note={`Dashed: as fast as the parameters promise. Whiskers: 95 % intervals. ${makers(labels, true)}.`}
    >
      <Enlarged draw={() => <LazySpeedChart lines={lines} names />} />
      <ChartLegend items={legendOf(lines)} />
    </SlideFrame>
  );
}
