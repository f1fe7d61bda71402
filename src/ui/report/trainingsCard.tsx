/** @file The curves of the trainings that made a report's variants. */
import { useMemo } from 'react';
import { retrainLabels } from '../../pruning/trainingWords';
import type { RetrainStep } from '../../pruning/variant';
import type { ModelRecord } from '../../report/record';
import type { ComparisonRow } from '../../report/results';
import type { TrainingCurves } from '../../report/trainingCurves';
import { ChartFrame } from '../charts/frame/chartFrame';
import type { ChartTable } from '../charts/frame/tableTwin';
import { LazyTrainingChart } from '../charts/lazy';
import type { References, TrainingRun } from '../charts/training/trainingData';
import { trainingLegend } from '../charts/training/trainingLegend';
import { corpusTitle, trainedOn } from '../corpora/describe';
import { integer, perplexity, significant } from '../parts/format';

interface Trained {
  readonly row: ComparisonRow;
  readonly step: RetrainStep;
  readonly training: TrainingCurves;
}

/** Rows whose last step is a training with curves. */
export function trainedRows(rows: readonly ComparisonRow[]): Trained[] {
  return rows.flatMap((row) => {
    const step = row.recipe.findLast(({ kind }) => kind === 'retrain');
    const { training } = row;
    if (step?.kind !== 'retrain' || training === undefined || training.losses.length === 0) return [];
    return [{ row, step, training }];
  });
}

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

function Curves({ trained: { row, step, training }, base }: { trained: Trained; base: ComparisonRow | undefined }) {
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

/** Every point that the report holds. */
export function curvesTable({ losses, evaluations }: TrainingCurves): ChartTable {
  const steps = [...new Set([...losses, ...evaluations].map(({ step }) => step))].sort((a, b) => a - b);
  const loss = new Map(losses.map((point) => [point.step, point.loss]));
  const heldOut = new Map(evaluations.map((point) => [point.step, point.perplexity]));
  const cell = (value: number | undefined, words: (value: number) => string): string =>
    value === undefined ? '–' : words(value);
  return {
    head: ['step', 'loss of the step', 'held-out perplexity after it'],
    rows: steps.map((step) => ({
      key: String(step),
      cells: [integer(step), cell(loss.get(step), significant), cell(heldOut.get(step), perplexity)],
    })),
  };
}
