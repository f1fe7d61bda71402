/** @file The preset experiment on the demo: does LoRA suffice after a mild cut, and does continued pretraining win after a severe one? */
import { useMemo } from 'react';
import { commands } from '../../lab/page/app';
import {
  allParts,
  type ExperimentCut,
  type ExperimentPart,
  experimentOf,
  isBegun,
  isFinished,
} from '../../lab/page/experiment';
import type { ComparisonRow } from '../../report/results';
import { retrainedGroups, retrainingVerdict } from '../../report/retrained';
import { presetExperiment } from '../../retrain/preset';
import { evaluatedText, rowPerplexity } from '../now/current';
import { FailureNote } from '../parts/failureNote';
import { percent, perplexity } from '../parts/format';
import { ProgressBar } from '../parts/progressBar';
import { useLab, useTask } from '../parts/useLab';
import { shortMethod } from './methods';
import { phaseText } from './words';

export function Experiment() {
  const isDemo = useLab((state) => state.model?.id === presetExperiment.model);
  const canRun = useLab((state) => state.ready && state.device !== null);
  const rows = useLab((state) => state.comparison);
  const queue = useLab((state) => state.trainings);
  const text = useLab(evaluatedText);
  const task = useTask('experiment');
  const cuts = useMemo(() => experimentOf(rows, queue), [rows, queue]);
  if (!isDemo) return null;
  const running = task.phase === 'running';
  const begun = isBegun(cuts);
  const finished = isFinished(cuts);
  return (
    <section className="retrain-experiment" aria-labelledby="retrain-experiment-title">
      <div className="bar">
        <h3 id="retrain-experiment-title">How far does LoRA reach?</h3>
        <span className="spring" />
        {!running && !finished && (
          <button type="button" className="button" disabled={!canRun} onClick={() => void commands.runExperiment()}>
            {begun ? 'Continue the experiment' : 'Run the experiment'}
          </button>
        )}
      </div>
      <p className="hint">{meaning}</p>
      {running && <ProgressBar label="The experiment" progress={task.progress} taskKey="experiment" />}
      {task.phase === 'failed' && <FailureNote title="The experiment stopped" failure={task.failure} />}
      {(begun || running) && <Grid cuts={cuts} text={text} />}
      <Verdict cuts={cuts} rows={rows} text={text} />
    </section>
  );
}

const [mild, severe] = presetExperiment.cuts;
const { steps, batch, seqLen } = presetExperiment.setting;
const ways = presetExperiment.trainings.map(({ method }) => shortMethod[method]).join(', ');
const meaning =
  `Kim et al. 2024 find that LoRA suffices after a mild cut, and that continued pretraining wins after a severe one. This experiment ` +
  `removes ${mild?.count} and ${severe?.count} blocks of the demo model, trains both variants by ${ways} ` +
  `(${steps} steps of ${batch} × ${seqLen} tokens each), and measures what each wins back.`;

interface GridProps {
  cuts: readonly ExperimentCut[];
  /** Hash of the tokens of the perplexities. */
  text: string | null;
}

/** Each training with its state, or its perplexity once it is there. */
function Grid({ cuts, text }: GridProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable from the keyboard
    <section className="table-scroll" tabIndex={0} aria-label="The experiment, scrolls sideways">
      <table className="table slim">
        <caption className="sr-only">Held-out perplexities of the experiment</caption>
        <thead>
          <tr>
            <th scope="col">cut</th>
            <th scope="col">pruned</th>
            {presetExperiment.trainings.map(({ method }) => (
              <th scope="col" key={method}>
                {shortMethod[method]}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {cuts.map(({ cut, pruned, parts }) => (
            <tr key={cut.name}>
              <th scope="row">
                {cut.name}: {percent(pruned?.ratio ?? cut.ratio)} removed
              </th>
              <td>{scoreText(pruned, text)}</td>
              {parts.map((part) => (
                <td key={part.training.method}>{stateOf(part, text)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function scoreText(row: ComparisonRow | null, text: string | null): string {
  const result = row && rowPerplexity(row, text);
  return result ? perplexity(result.perplexity) : row ? 'not measured' : '–';
}

function stateOf({ row, queued }: ExperimentPart, text: string | null) {
  if (row) return scoreText(row, text);
  return queued ? <span className="soft">{phaseText(queued)}</span> : '–';
}

interface VerdictProps extends GridProps {
  rows: readonly ComparisonRow[];
}

/** What the numbers of the experiment say; nothing before both cuts have been trained both ways. */
function Verdict({ cuts, rows, text }: VerdictProps) {
  const verdict = useMemo(() => {
    const ids = new Set([
      'base',
      ...cuts.flatMap(({ pruned }) => pruned?.variant ?? []),
      ...allParts(cuts).flatMap(({ row }) => row?.variant ?? []),
    ]);
    return retrainingVerdict(
      retrainedGroups(
        rows.filter(({ variant }) => ids.has(variant)),
        text,
      ),
    );
  }, [cuts, rows, text]);
  if (!verdict || verdict.shown === null) return null;
  return (
    <p className="retrain-verdict" role="status">
      {verdict.shown ? 'The numbers show it. ' : ''}
      {verdict.text}
    </p>
  );
}
