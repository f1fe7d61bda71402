/** @file The curves of the trainings that made a report's variants. */
import { useMemo } from 'react';
import { retrainLabels } from '../../pruning/trainingWords';
import type { RetrainStep } from '../../pruning/variant';
import type { ModelRecord } from '../../report/record';
import type { ComparisonRow } from '../../report/results';
import { type TrainedRow, trainedRows } from '../../report/trainedRows';
import type { TrainingCurves } from '../../report/trainingCurves';
import { ChartFrame } from '../charts/frame/chartFrame';
import { LazyTrainingChart } from '../charts/lazy';
import { curvesTable, type References, type TrainingRun } from '../charts/training/trainingData';
import { trainingLegend } from '../charts/training/trainingLegend';
import { corpusTitle, trainedOn } from '../corpora/describe';
import { integer } from '../parts/format';

export function TrainingsCard({ record }: { record: ModelRecord }) {
  const { comparison } = record;
  const trained = useMemo(() => trainedRows(comparison), [comparison]);
  if (trained.length === 0) return null;
  const base = comparison.find(({ variant }) => variant === 'base');
  return (
    <section className="card trainings" aria-labelledby="trainings-title">
      <h2 id="trainings-title">Trainings</h2>
      <p className="sub">The losses are those of single steps; a long training is shown by some of them.</p>
      {trained.map((each) => (
        <Curves key={each.row.variant} trained={each} base={base} />
      ))}
    </section>
  );
}

function Curves({ trained: { row, step, training }, base }: { trained: TrainedRow; base: ComparisonRow | undefined }) {
  const { heldOut } = training;
  const run = useMemo(() => runOf(step, training), [step, training]);
  const references = useMemo((): References => {
    // Only a perplexity on the same tokens is a line of this chart.
    const same = Object.values(base?.perplexity ?? {}).find(({ text }) => text.hash === heldOut?.hash);
    const first = training.evaluations[0];
    return { base: same?.perplexity ?? null, before: first?.step === 0 ? first.perplexity : null };
  }, [base, heldOut, training]);
  const on = heldOut
    ? ` on ${integer(heldOut.sequences)} × ${integer(heldOut.seqLen)} tokens of ${corpusTitle(heldOut.corpus, [])}`
    : '';
  const note = `${row.name}: ${retrainLabels[step.method]}, trained on ${trainedOn(step.text, [])}; held-out perplexity${on}.`;
  return (
    <figure className="training-figure" aria-label={`Chart of the training of ${row.name}`}>
      <h3>{row.name}</h3>
      <p className="sub">{note}</p>
      <ChartFrame
        title={`Training: ${row.name}`}
        name={`training-${row.variant}`}
        note={note}
        legend={trainingLegend(run, references)}
        table={curvesTable(training)}
      >
        <LazyTrainingChart run={run} references={references} />
      </ChartFrame>
    </figure>
  );
}

function runOf({ method, steps, batch, learningRate }: RetrainStep, training: TrainingCurves): TrainingRun {
  return {
    request: { method, steps, batch, learningRate },
    losses: training.losses.map((point) => ({ ...point, learningRate })),
    evaluations: [...training.evaluations],
    steps,
  };
}
