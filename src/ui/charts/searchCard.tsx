/**
 * @file Card of the searches, shown once one has a result. It has its own axes, because searches use other tokens than
 * the variants' perplexities.
 */
import { useMemo } from 'react';
import { integer } from '../parts/format';
import { useLab } from '../parts/useLab';
import { shownSteps } from '../searches/steps';
import { LazySearchChart } from './lazy';
import { evolutionPath, searchPaths } from './searchData';

export function SearchCard() {
  const model = useLab((state) => state.model);
  const plan = useLab((state) => state.plan);
  const searches = useLab((state) => state.searches);
  const tokens = useLab((state) => state.calibration?.tokens);
  // Scores and searches share one calibration; a new calibration clears both.
  const whole = useLab(
    ({ scores, subBlockScores }) => scores.ppl?.reference ?? subBlockScores.ppl?.attention?.reference,
  );
  const tasks = useLab((state) => state.tasks);
  const evolution = useLab((state) => state.evolution);
  const paths = useMemo(
    () =>
      model && plan
        ? [
            ...searchPaths(
              model,
              plan,
              (id) => shownSteps(tasks[`search:${id}`] ?? { phase: 'idle' }, searches[id]),
              whole,
            ),
            ...evolutionPath(model, plan, evolution),
          ]
        : [],
    [model, plan, tasks, searches, evolution, whole],
  );
  if (paths.length === 0) return null;
  return (
    <section className="card" aria-labelledby="search-title">
      <h2 id="search-title">Perplexity along the searches</h2>
      <p className="sub">
        Perplexity on {tokens === undefined ? 'the' : integer(tokens)} calibration tokens after each step. Do not
        compare these with the variants’ perplexities, which use held-out tokens.
      </p>
      <LazySearchChart paths={paths} />
      <div className="chart-key">
        {paths.map(({ id, units, label }) => (
          <span key={id}>
            <i className={`key path-${units}`} /> {label}
          </span>
        ))}
        <span>
          <i className="key now" /> the plan being edited
        </span>
      </div>
    </section>
  );
}
