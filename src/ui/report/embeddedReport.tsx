/** @file The compact view of a report for a frame of another page: title, strip, one chart, and where it comes from. */
import type { ModelRecord } from '../../report/record';
import { LatencyCard } from '../charts/latencyCard';
import { QualityCard } from '../charts/qualityCard';
import { TasksCard } from '../charts/tasks/tasksCard';
import { Boundary } from '../parts/boundary';
import { quantity } from '../parts/format';
import { useLab } from '../parts/useLab';
import { type EmbedView, wholeAddress } from './embedding';
import { headlineOf } from './headline';
import { StripCard } from './stripCard';
import { dateText, modelName, reportTitle } from './titles';

export function EmbeddedReport({ record, view }: { record: ModelRecord; view: EmbedView }) {
  const headline = useLab(headlineOf);
  const measured = dateText(record.created);
  const { device, model } = record;
  return (
    <main className="embed">
      <Boundary title="The report could not be drawn">
        <header>
          <h1 className="report-title">{reportTitle(record)}</h1>
          {headline && <p className="report-headline">{headline}</p>}
        </header>
        <StripCard record={record} compact bars={view === 'scores'} />
        {view === 'quality' && <QualityCard />}
        {view === 'latency' && <LatencyCard />}
        {view === 'tasks' && <TasksCard />}
        <footer className="embed-foot">
          <span>
            {modelName(record)}, {quantity(model.parameters)} parameters · {device?.adapter ?? 'no WebGPU'}
            {measured && ` · ${measured}`}
          </span>
          <a href={wholeAddress(location.href)} target="_blank" rel="noopener noreferrer">
            Whole report in Secateur
          </a>
        </footer>
      </Boundary>
    </main>
  );
}
