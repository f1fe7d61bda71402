/** @file Runs a report again on this device: asks first, then shows its numbers beside those measured here. */
import './reproduce.css';
import { useState } from 'react';
import { useStore } from 'zustand';
import { commands, store } from '../../lab/page/app';
import { placeOf } from '../../lab/page/reproduce/reportedModel';
import { reportKey } from '../../lab/page/reproduce/reproduction';
import type { ModelRecord } from '../../report/record';
import { summaryOf } from '../../report/reproduction/parts';
import { FailureNote } from '../parts/failureNote';
import { ProgressBar } from '../parts/progressBar';
import { showLaboratory } from '../report/opened';
import { ReproduceForm } from './reproduceForm';
import { ValueTables } from './valueTables';
import { timeText } from './words';

/** Whether the id of a report's model names a place that a model can come from. */
function hasPlace(record: ModelRecord): boolean {
  try {
    placeOf(record.model);
    return true;
  } catch {
    return false;
  }
}

export function ReproduceCard({ record }: { record: ModelRecord }) {
  const [asking, setAsking] = useState(false);
  const task = useStore(store, (state) => state.tasks.reproduce);
  const found = useStore(store, (state) => state.reproduction);
  const model = useStore(store, (state) => state.model);
  const own = found?.key === reportKey(record) ? found : null;
  const running = task?.phase === 'running';
  if (!hasPlace(record)) return null;
  if (!own) {
    return (
      <div className="reproduce">
        {asking ? (
          <ReproduceForm record={record} endsSession={model !== null} onClose={() => setAsking(false)} />
        ) : (
          <button type="button" className="button" disabled={running} onClick={() => setAsking(true)}>
            Run it again on this device
          </button>
        )}
        {running && <p className="hint">Another report runs again in this tab.</p>}
      </div>
    );
  }
  const { values, part, device, complete } = own;
  const isOver = !running;
  return (
    <section className="reproduce" aria-label="The report, run again on this device">
      <h3>Run again on this device</h3>
      {running && <ProgressBar label="Starting" progress={task.progress} taskKey="reproduce" />}
      {running && part && (
        <p className="reproduce-part">
          {part.estimateMs !== null && (
            <span className="soft">This part takes about {timeText(part.estimateMs) ?? 'no time'} here.</span>
          )}
          <button type="button" className="button small" onClick={commands.skipPart}>
            Skip this part
          </button>
        </p>
      )}
      {task?.phase === 'failed' && <FailureNote title="The report could not be run again" failure={task.failure} />}
      {isOver && task?.phase !== 'failed' && (
        <p className="reproduce-summary" role="status">
          {complete ? summaryOf(values) : 'You cancelled the run.'}
        </p>
      )}
      <ValueTables values={values} reportedOn={record.device} hereOn={device} />
      {isOver && (
        <div className="report-actions">
          {model?.id === record.model.id && (
            <button type="button" className="button primary" onClick={showLaboratory}>
              Go on in the laboratory
            </button>
          )}
          <button type="button" className="button" onClick={() => void commands.reproduceReport(record, { skip: [] })}>
            Run it again
          </button>
        </div>
      )}
    </section>
  );
}
