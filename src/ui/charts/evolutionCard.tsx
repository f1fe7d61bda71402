/** @file Card of the evolutionary search, while it runs and when it has found something. */
import { useMemo } from 'react';
import { integer } from '../parts/format';
import { useLab, useTask } from '../parts/useLab';
import { shownEvolution, stepShort } from '../searches/steps';
import { generationPoints } from './evolutionData';
import { LazyEvolutionChart } from './lazy';

export function EvolutionCard() {
  const task = useTask('evolution');
  const result = useLab((state) => state.evolution);
  const tokens = useLab((state) => state.calibration?.tokens);
  const shown = shownEvolution(task, result);
  const points = useMemo(() => (shown ? generationPoints(shown) : []), [shown]);
  if (!shown || points.length === 0) return null;
  const running = task.phase === 'running' ? task.progress : null;
  return (
    <section className="card" aria-labelledby="evolution-title">
      <h2 id="evolution-title">Evolution of the set</h2>
      <p className="sub">
        How far the best set’s predictions are from the whole model’s, on{' '}
        {tokens === undefined ? 'the' : integer(tokens)} calibration tokens. Best without{' '}
        <b>{shown.removed.map(stepShort).join(' · ')}</b>
      </p>
      <LazyEvolutionChart
        points={points}
        generations={running ? running.total - 1 : (shown.trace.at(-1)?.generation ?? 0)}
      />
    </section>
  );
}
