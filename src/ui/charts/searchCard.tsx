/**
 * @file Card of the searches, shown once one has a result. It has its own axes, because searches use other tokens than
 * the variants' perplexities.
 */
import { useMemo } from 'react';
import { integer } from '../parts/format';
import { useLab } from '../parts/useLab';
import { shownSteps } from '../searches/steps';
import { ChartFrame } from './frame/chartFrame';
import type { LegendItem } from './frame/legend';
import { LazySearchChart } from './lazy';
import { evolutionPath, type SearchPath, searchPaths, searchTable } from './searchData';

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
      model
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
  const note = `Perplexity on ${tokens === undefined ? 'the' : integer(tokens)} calibration tokens after each step.`;
  return (
    <section className="card" aria-labelledby="search-title">
      <h2 id="search-title">Perplexity along the searches</h2>
      <p className="sub">{note} Do not compare these with the variants’ perplexities, which use held-out tokens.</p>
      <ChartFrame
        title="Perplexity along the searches"
        name="searches"
        note={note}
        legend={legendOf(paths)}
        table={searchTable(paths)}
      >
        <LazySearchChart paths={paths} />
      </ChartFrame>
    </section>
  );
}

/** The mark of each kind of path, as the chart draws it. */
const drawings: Readonly<Record<SearchPath['units'], LegendItem['drawing']>> = {
  blocks: <circle className="mark-depth" cx={11} cy={7} r={5} />,
  subBlocks: <path className="mark-sub-block" d="M11 1.5l5.5 5.5-5.5 5.5-5.5-5.5z" />,
  set: <path className="mark-set" d="M11 1.5l6 11h-12z" />,
};

function legendOf(paths: readonly SearchPath[]): LegendItem[] {
  const items = paths.map(({ units, label }) => ({ text: label, drawing: drawings[units] }));
  if (!paths.some(({ points }) => points.some(({ now }) => now))) return items;
  return [...items, { text: 'the plan being edited', drawing: <circle className="mark-now" cx={11} cy={7} r={5.5} /> }];
}
