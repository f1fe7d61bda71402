/** @file The chart of one training with its legend, its numbers and its image. */
import { useMemo } from 'react';
import { corpusTitle } from '../../corpora/describe';
import { integer, perplexity } from '../../parts/format';
import { useLab } from '../../parts/useLab';
import { ChartFrame } from '../frame/chartFrame';
import type { LegendItem } from '../frame/legend';
import { LazyTrainingChart } from '../lazy';
import { referencesOf } from './references';
import { isLikelihood, type References, type TrainingRun, trainingTable } from './trainingData';

interface Props {
  run: TrainingRun;
  /** What is trained, and how. */
  name: string;
}

export function TrainingFigure({ run, name }: Props) {
  const base = useLab((state) => referencesOf(run.request, state)?.perplexity ?? null);
  const corpora = useLab((state) => state.corpora);
  const before = run.evaluations[0]?.step === 0 ? run.evaluations[0].perplexity : null;
  const references = useMemo((): References => ({ base, before }), [base, before]);
  const { evaluation, corpus, instructions, generated } = run.request;
  const trained = instructions
    ? `${integer(instructions.length)} instruction pairs`
    : generated
      ? 'text that the original model wrote'
      : corpusTitle(corpus ?? 'calibration', corpora);
  const heldOut = corpusTitle(evaluation?.corpus ?? 'evaluation', corpora);
  const note = `Trained on ${trained}; held-out perplexity on ${trained === heldOut ? 'other rows of them' : heldOut}.`;
  const title = `Training: ${name}`;
  return (
    <figure className="training-figure" aria-label={`Chart of the training ${name}`}>
      <p className="sub">{note}</p>
      <ChartFrame
        title={title}
        name="training"
        note={note}
        legend={legendOf(run, references)}
        table={trainingTable(run)}
      >
        <LazyTrainingChart run={run} references={references} />
      </ChartFrame>
    </figure>
  );
}

function legendOf(run: TrainingRun, { base, before }: References): LegendItem[] {
  const loss = isLikelihood(run) ? 'training loss' : 'distillation loss';
  return [
    { text: `${loss} of each step`, drawing: <path className="training-loss" d="M1 9l4-4 4 5 4-7 4 6 4-3" /> },
    { text: 'its running mean', drawing: <path className="training-smooth" d="M1 9C8 8 14 5 21 5" /> },
    { text: 'held-out perplexity', drawing: <circle className="training-mark" cx={11} cy={7} r={4.5} /> },
    ...(base === null
      ? []
      : [
          {
            text: `original model ${perplexity(base)}`,
            drawing: <line className="training-base" x1={1} x2={21} y1={7} y2={7} />,
          },
        ]),
    ...(before === null
      ? []
      : [
          {
            text: `before training ${perplexity(before)}`,
            drawing: <line className="training-before" x1={1} x2={21} y1={7} y2={7} />,
          },
        ]),
  ];
}
