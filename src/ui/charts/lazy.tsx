/** @file The charts' script arrives when the first chart is drawn; their room is there from the beginning. */
import { lazy, type ReactNode, Suspense } from 'react';
import type { Ranked } from '../importance/useStrip';
import { Boundary } from '../parts/boundary';
import type { GenerationPoint } from './evolutionData';
import type { LatencyBar } from './latencyData';
import type { QualityPoint } from './qualityData';
import type { SearchPath } from './searchData';
import { chartHeights, latencyHeight } from './sizes';

const ScoresChart = lazy(() => import('./scoresChart'));
const HalfScoresChart = lazy(() => import('./halfScoresChart'));
const SearchChart = lazy(() => import('./searchChart'));
const EvolutionChart = lazy(() => import('./evolutionChart'));
const QualityChart = lazy(() => import('./qualityChart'));
const LatencyChart = lazy(() => import('./latencyChart'));

function Room({ height, className = '', children }: { height: number; className?: string; children: ReactNode }) {
  return (
    <div className={`chart-room ${className}`} style={{ height }}>
      <Boundary title="The chart could not be drawn">
        <Suspense fallback={<div className="chart-wait" aria-hidden="true" />}>{children}</Suspense>
      </Boundary>
    </div>
  );
}

export function LazyScoresChart(props: { ranked: Ranked; layers: number }) {
  return (
    <Room height={chartHeights.scores} className="scores">
      {props.ranked.mode === 'blocks' ? <ScoresChart {...props} /> : <HalfScoresChart {...props} />}
    </Room>
  );
}

export function LazyQualityChart(props: { points: readonly QualityPoint[]; floor: number | undefined }) {
  return (
    <Room height={chartHeights.quality}>
      <QualityChart {...props} />
    </Room>
  );
}

export function LazySearchChart(props: { paths: readonly SearchPath[] }) {
  return (
    <Room height={chartHeights.search}>
      <SearchChart {...props} />
    </Room>
  );
}

export function LazyEvolutionChart(props: { points: readonly GenerationPoint[]; generations: number }) {
  return (
    <Room height={chartHeights.search}>
      <EvolutionChart {...props} />
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
