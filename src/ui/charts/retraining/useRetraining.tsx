/** @file What the card and the slide of retraining show of the page's state, or of a report's. */
import { useMemo } from 'react';
import type { ModelShape } from '../../../model/shape';
import type { PerplexityResult } from '../../../report/results';
import {
  baseScore,
  type RetrainedGroup,
  retrainedGroups,
  retrainingVerdict,
  type Training,
} from '../../../report/retrained';
import { corpusTitle } from '../../corpora/describe';
import { evaluatedText } from '../../now/current';
import { integer } from '../../parts/format';
import { producedBy } from '../../parts/names';
import { useLab } from '../../parts/useLab';
import type { LegendItem } from '../frame/legend';
import { type RetrainedColumn, retrainedColumns, shownTrainings } from './retrainingData';
import { TrainingMark } from './trainingMark';

const legendNames: Readonly<Record<Training, string>> = {
  pruned: 'pruned, not trained',
  lora: 'LoRA: low-rank factors',
  full: 'CPT: continued pretraining, all weights',
  'full+lora': 'CPT⇒LoRA: one after the other',
  distill: 'distilled from the original model',
};

export interface Retraining {
  readonly groups: readonly RetrainedGroup[];
  readonly columns: readonly RetrainedColumn[];
  readonly shape: ModelShape | null;
  /** Perplexity of the original model; null where it is not known. */
  readonly base: number | null;
  /** One of the perplexities: all have its text and device. */
  readonly scored: PerplexityResult;
  /** What was measured, and by which device. */
  readonly note: string;
  /** What the numbers say about LoRA and continued pretraining; null where one of them is missing. */
  readonly verdict: string | null;
  readonly legend: LegendItem[];
}

/** Null where no trained variant has a perplexity. */
export function useRetraining(): Retraining | null {
  const rows = useLab((state) => state.comparison);
  const text = useLab(evaluatedText);
  const known = useLab((state) => state.base);
  const shape = useLab((state) => state.model?.shape ?? null);
  const corpora = useLab((state) => state.corpora);
  const groups = useMemo(() => retrainedGroups(rows, text, known), [rows, text, known]);
  const columns = useMemo(() => retrainedColumns(groups, shape), [groups, shape]);
  const scored = groups[0]?.variants[0]?.scored;
  if (!scored) return null;
  const on = `${integer(scored.tokens)} held-out tokens of ${corpusTitle(scored.text.corpus, corpora)}`;
  return {
    ...{ groups, columns, shape, scored },
    base: baseScore(rows, text, known)?.perplexity ?? null,
    note: `Perplexity on ${on} · ${producedBy(scored.device)}`,
    verdict: retrainingVerdict(groups)?.text ?? null,
    legend: shownTrainings(groups).map((training) => ({
      text: legendNames[training],
      drawing: (
        <g transform="translate(2.2 1.4) scale(0.8)">
          <TrainingMark training={training} x={11} y={7} />
        </g>
      ),
    })),
  };
}
