/** @file The page's state as a report tells it: what charts and tables draw where no model is open. Pure. */
import type { ModelRecord } from '../../report/record';
import { draftOf } from './draft';
import { measuredOf } from './saved';
import { baseSelection } from './selection';
import { initialState, type LabState } from './store';
import { toPageScores } from './widthScores';

/** Scores, variants and measurements of the record. Nothing runs, and nothing can be measured. */
export function stateOfRecord(record: ModelRecord): LabState {
  const { model, device, widthScores } = record;
  const measured = measuredOf(record);
  const selection = baseSelection(model.id);
  const base = record.comparison.find(({ variant }) => variant === 'base');
  return {
    ...initialState,
    ...measured,
    ready: true,
    ...{ device, model },
    ...selection,
    draft: draftOf(model, selection, []),
    base: Object.values(base?.perplexity ?? {})[0] ?? null,
    widthScores: Object.fromEntries(widthScores.map((scores) => [scores.method, toPageScores(scores)])),
  };
}
