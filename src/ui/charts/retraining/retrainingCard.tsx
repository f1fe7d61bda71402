/** @file Card that compares the ways of retraining; shown once a trained variant has a perplexity. */
import { useMemo } from 'react';
import { baseScore, retrainedGroups, retrainingVerdict, type Training } from '../../../report/retrained';
import { corpusTitle } from '../../corpora/describe';
import { evaluatedText } from '../../now/current';
import { integer } from '../../parts/format';
import { producedBy } from '../../parts/names';
import { SoftwareBadge } from '../../parts/softwareBadge';
import { useLab } from '../../parts/useLab';
import { ChartFrame } from '../frame/chartFrame';
import type { LegendItem } from '../frame/legend';
import { LazyRetrainingChart } from '../lazy';
import { retrainedColumns, retrainedTable, shownTrainings } from './retrainingData';
import { TrainingMark } from './trainingMark';

const legendNames: Readonly<Record<Training, string>> = {
  pruned: 'pruned, not trained',
  lora: 'LoRA: low-rank factors',
  full: 'CPT: continued pretraining, all weights',
  'full+lora': 'CPT⇒LoRA: one after the other',
  distill: 'distilled from the original model',
};

export function RetrainingCard() {
  const rows = useLab((state) => state.comparison);
  const text = useLab(evaluatedText);
  const known = useLab((state) => state.base);
  const shape = useLab((state) => state.model?.shape ?? null);
  const corpora = useLab((state) => state.corpora);
  const groups = useMemo(() => retrainedGroups(rows, text, known), [rows, text, known]);
  const columns = useMemo(() => retrainedColumns(groups, shape), [groups, shape]);
  const scored = groups[0]?.variants[0]?.scored;
  if (!scored) return null;
  const base = baseScore(rows, text, known)?.perplexity ?? null;
  const verdict = retrainingVerdict(groups);
  const note = `Perplexity on ${integer(scored.tokens)} held-out tokens of ${corpusTitle(scored.text.corpus, corpora)} · ${producedBy(scored.device)}`;
  const legend = shownTrainings(groups).map(
    (training): LegendItem => ({
      text: legendNames[training],
      drawing: (
        <g transform="translate(2.2 1.4) scale(0.8)">
          <TrainingMark training={training} x={11} y={7} />
        </g>
      ),
    }),
  );
  const title = 'Retraining: what each way wins back';
  return (
    <section className="card retraining-card" aria-labelledby="retraining-title">
      <h2 id="retraining-title">{title}</h2>
      <p className="sub">{note}. A stem is as long as the loss that is left.</p>
      {verdict && <p className="verdict">{verdict.text}</p>}
      <ChartFrame
        title={title}
        name="retraining"
        note={verdict ? `${verdict.text} ${note}` : note}
        legend={legend}
        table={retrainedTable(groups, shape, base)}
        below={
          scored.device.software && (
            <p className="hint">
              The minutes in the table: <SoftwareBadge />
            </p>
          )
        }
      >
        <LazyRetrainingChart columns={columns} base={base} />
      </ChartFrame>
    </section>
  );
}
