/** @file The top of a report: the author's words, the finding in one sentence, model, device, date and text, and what to do with it. */
import type { ReactNode } from 'react';
import type { ModelRecord } from '../../report/record';
import { corpusTitle } from '../corpora/describe';
import { shortRevision } from '../model/facts';
import { integer, plural, quantity } from '../parts/format';
import { SoftwareBadge } from '../parts/softwareBadge';
import { useLab } from '../parts/useLab';
import { headlineOf } from './headline';
import { ReportActions } from './reportActions';
import { dateText, modelName, reportTitle } from './titles';

export function SummaryCard({ record }: { record: ModelRecord }) {
  const headline = useLab(headlineOf);
  const notes = record.notes?.trim() ?? '';
  return (
    <section className="card report-summary" aria-labelledby="report-title">
      <h2 id="report-title" className="report-title">
        {reportTitle(record)}
      </h2>
      {notes !== '' && <p className="report-notes">{notes}</p>}
      {headline && <p className="report-headline">{headline}</p>}
      <Facts record={record} />
      <ReportActions record={record} />
    </section>
  );
}

function Facts({ record }: { record: ModelRecord }) {
  const { model, device, calibration, comparison } = record;
  const base = useLab((state) => state.base);
  const measured = dateText(record.created);
  const variants = comparison.filter(({ variant }) => variant !== 'base').length;
  const blocks = plural(model.shape.layers.length, 'block');
  return (
    <dl className="report-facts">
      <Fact name="Model">
        <b>{modelName(record)}</b>
        <span className="soft">
          {model.card && model.source !== 'demo' && `${model.source} · `}revision {shortRevision(model.revision)}
        </span>
      </Fact>
      <Fact name="Size">
        <b>{quantity(model.parameters)} parameters</b>
        <span className="soft">{blocks}</span>
      </Fact>
      <Fact name="Device">
        <b>{device?.adapter ?? 'no WebGPU'}</b>
        {device?.software ? (
          <SoftwareBadge />
        ) : (
          <span className="soft">{device ? 'WebGPU' : 'computed on the CPU'}</span>
        )}
      </Fact>
      {measured && (
        <Fact name="Measured">
          <b>{measured}</b>
          <span className="soft">{record.program}</span>
        </Fact>
      )}
      {(calibration || base) && (
        <Fact name="Text">
          {base && (
            <span>
              <b>{corpusTitle(base.text.corpus, [])}</b>{' '}
              <span className="soft">{integer(base.tokens)} held-out tokens</span>
            </span>
          )}
          {calibration && (
            <span className="soft">
              scores on {integer(calibration.tokens)} tokens of {corpusTitle(calibration.corpus, [])}
            </span>
          )}
        </Fact>
      )}
      <Fact name="Variants">
        <b>{variants}</b>
        <span className="soft">{variants === 0 ? 'the original model only' : 'beside the original model'}</span>
      </Fact>
    </dl>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
