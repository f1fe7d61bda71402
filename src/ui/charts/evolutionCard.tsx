/** @file Card of the evolutionary search, shown once it has found a set. */
import { useMemo } from 'react';
import { integer } from '../parts/format';
import { useLab, useTask } from '../parts/useLab';
import { shownEvolution, stepShort } from '../searches/steps';
import { generationPoints, generationTable } from './evolutionData';
import { ChartFrame } from './frame/chartFrame';
import { LazyEvolutionChart } from './lazy';

export function EvolutionCard() {
  const task = useTask('evolution');
  const result = useLab((state) => state.evolution);
  const tokens = useLab((state) => state.calibration?.tokens);
  const shown = shownEvolution(task, result);
  const points = useMemo(() => (shown ? generationPoints(shown) : []), [shown]);
  if (!shown || points.length === 0) return null;
  const running = task.phase === 'running' ? task.progress : null;
  const best = shown.removed.map(stepShort).join(' · ');
  const note = `KL divergence of the best variant’s predictions from the original model’s, on ${
    tokens === undefined ? 'the' : integer(tokens)
  } calibration tokens.`;
  return (
    <section className="card" aria-labelledby="evolution-title">
      <h2 id="evolution-title">EvoPress by generation</h2>
      <p className="sub">
        {note} Best set to remove: <b>{best}</b>
      </p>
      <ChartFrame
        title="EvoPress by generation"
        name="evopress"
        note={`${note} Best set to remove: ${best}`}
        table={generationTable(points)}
      >
        <LazyEvolutionChart
          points={points}
          generations={running ? running.total - 1 : (shown.trace.at(-1)?.generation ?? 0)}
        />
      </ChartFrame>
    </section>
  );
}
