/** @file The legend of the chart of a training. */
import { perplexity } from '../../parts/format';
import type { LegendItem } from '../frame/legend';
import { isLikelihood, type References, type TrainingRun } from './trainingData';

export function trainingLegend(run: TrainingRun, { base, before }: References): LegendItem[] {
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
