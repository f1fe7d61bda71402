/**
 * @file Loads the charts' script when the first chart is drawn; their space is reserved from the beginning.
 *
 * A chart takes as long to render as the rest of the page, so charts use deferred values: React draws the rest first,
 * then the chart in short pieces, between which the page responds.
 */
import { type ComponentProps, lazy, memo, type ReactNode, Suspense, useDeferredValue } from 'react';
import { Boundary } from '../parts/boundary';
import type { Ranked } from '../strip/useStrip';
import type VariantScatter from './compare/scatter';
import type { SpeedLine } from './compare/variantPoints';
import type { GenerationPoint } from './evolutionData';
import type { LatencyBar } from './latencyData';
import type { QualityPoint } from './qualityData';
import type { RetrainedColumn } from './retraining/retrainingData';
import type { SearchPath } from './searchData';
import { chartHeights, latencyHeight, tasksHeight } from './sizes';
import type { TaskBar } from './tasks/tasksData';
import type { References, TrainingRun } from './training/trainingData';

const ScoresChart = memo(lazy(() => import('./scoresChart')));
const SubBlockScoresChart = memo(lazy(() => import('./subBlockScoresChart')));
const SearchChart = memo(lazy(() => import('./searchChart')));
const EvolutionChart = memo(lazy(() => import('./evolutionChart')));
const QualityChart = memo(lazy(() => import('./qualityChart')));
const LatencyChart = memo(lazy(() => import('./latencyChart')));

const TasksChart = memo(lazy(() => import('./tasks/tasksChart')));

const LazyScatter = memo(lazy(() => import('./compare/scatter')));
const SpeedChart = memo(lazy(() => import('./compare/speedChart')));

const RetrainingChart = memo(lazy(() => import('./retraining/retrainingChart')));
const TrainingChart = memo(lazy(() => import('./training/trainingChart')));

const waiting = <div className="chart-wait" aria-hidden="true" />;

function Room({ height, className = '', children }: { height: number; className?: string; children: ReactNode }) {
  return (
    <div className={`chart-room ${className}`} style={{ height }}>
      <Boundary title="The chart could not be drawn">
        <Suspense fallback={waiting}>{children}</Suspense>
      </Boundary>
    </div>
  );
}

export function LazyScoresChart({ ranked: now, layers }: { ranked: Ranked; layers: number }) {
  const ranked = useDeferredValue(now, null);
  const Chart = ranked?.mode === 'blocks' ? ScoresChart : SubBlockScoresChart;
  return (
    <Room height={chartHeights.scores} className="scores">
      {ranked === null ? waiting : <Chart ranked={ranked} layers={layers} />}
    </Room>
  );
}

export function LazyQualityChart(props: { points: readonly QualityPoint[]; floor: number | undefined }) {
  const points = useDeferredValue(props.points, null);
  return (
    <Room height={chartHeights.quality}>
      {points === null ? waiting : <QualityChart points={points} floor={props.floor} />}
    </Room>
  );
}

export function LazySearchChart(props: { paths: readonly SearchPath[] }) {
  const paths = useDeferredValue(props.paths, null);
  return <Room height={chartHeights.search}>{paths === null ? waiting : <SearchChart paths={paths} />}</Room>;
}

export function LazyEvolutionChart(props: { points: readonly GenerationPoint[]; generations: number }) {
  const points = useDeferredValue(props.points, null);
  return (
    <Room height={chartHeights.search}>
      {points === null ? waiting : <EvolutionChart points={points} generations={props.generations} />}
    </Room>
  );
}

export function LazyLatencyChart(props: { bars: readonly LatencyBar[] }) {
  return (
    <Room height={latencyHeight(props.bars.length)}>
      <LatencyChart {...props} />
    </Room>
  );
}

export function LazyTasksChart(props: { bars: readonly TaskBar[]; base: number | null }) {
  return (
    <Room height={tasksHeight(props.bars.length)}>
      <TasksChart {...props} />
    </Room>
  );
}

export function LazyVariantScatter(props: ComponentProps<typeof VariantScatter>) {
  const points = useDeferredValue(props.points, null);
  return (
    <Room height={chartHeights.variants}>{points === null ? waiting : <LazyScatter {...props} points={points} />}</Room>
  );
}

export function LazySpeedChart(props: { lines: readonly SpeedLine[]; names?: boolean }) {
  const lines = useDeferredValue(props.lines, null);
  return <Room height={chartHeights.speed}>{lines === null ? waiting : <SpeedChart {...props} lines={lines} />}</Room>;
}

export function LazyTrainingChart(props: { run: TrainingRun; references: References }) {
  const run = useDeferredValue(props.run, null);
  return (
    <Room height={chartHeights.training}>
      {run === null ? waiting : <TrainingChart run={run} references={props.references} />}
    </Room>
  );
}

export function LazyRetrainingChart(props: { columns: readonly RetrainedColumn[]; base: number | null }) {
  const columns = useDeferredValue(props.columns, null);
  return (
    <Room height={chartHeights.retraining}>
      {columns === null ? waiting : <RetrainingChart columns={columns} base={props.base} />}
    </Room>
  );
}
