/** @file The chart of one training with its legend, its numbers and its image. */
import { useMemo } from 'react';
import { corpusTitle, trainedOn } from '../../corpora/describe';
import { integer } from '../../parts/format';
import { useLab } from '../../parts/useLab';
import { ChartFrame } from '../frame/chartFrame';
import { LazyTrainingChart } from '../lazy';
import { referencesOf } from './references';
import { curvesTable, type References, type TrainingRun, trainingTable } from './trainingData';
import { trainingLegend } from './trainingLegend';

interface Props {
  run: TrainingRun;
  /** The curves are those that a variant's row keeps: of a long training some points. */
  thinned?: boolean;
  /** What is trained, and how. */
  name: string;
}

export function TrainingFigure({ run, name, thinned = false }: Props) {
  const base = useLab((state) => referencesOf(run.request, state)?.perplexity ?? null);
  const corpora = useLab((state) => state.corpora);
  const before = run.evaluations[0]?.step === 0 ? run.evaluations[0].perplexity : null;
  const references = useMemo((): References => ({ base, before }), [base, before]);
  const { evaluation, heldOut: share, corpus, instructions, instructionsFrom, generated } = run.request;
  const pairs = trainedOn({ corpus: 'instruction pairs', source: instructionsFrom }, corpora);
  const trained = instructions
    ? instructions.length > 0
      ? `${integer(instructions.length)} ${pairs}`
      : pairs // the queue does not repeat them
    : generated
      ? 'text that the original model wrote'
      : corpusTitle(corpus ?? 'calibration', corpora);
  const heldOut = corpusTitle(evaluation?.corpus ?? 'evaluation', corpora);
  const isSame = share !== undefined || trained === heldOut;
  const note = `Trained on ${trained}; held-out perplexity on ${isSame ? 'other rows of them' : heldOut}.`;
  const title = `Training: ${name}`;
  return (
    <figure className="training-figure" aria-label={`Chart of the training ${name}`}>
      <p className="sub">
        {note}
        {thinned && run.losses.length < run.steps && ' The page has kept the losses of some of its steps.'}
      </p>
      <ChartFrame
        title={title}
        name="training"
        note={note}
        legend={trainingLegend(run, references)}
        table={thinned ? curvesTable(run) : trainingTable(run)}
      >
        <LazyTrainingChart run={run} references={references} />
      </ChartFrame>
    </figure>
  );
}
