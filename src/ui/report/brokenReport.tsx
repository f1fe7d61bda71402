/** @file A link or a file that holds no whole report: what is wrong with it, what to do, and the way to the laboratory. */
import type { Failure } from '../../lab/contract/failure';
import { FailureNote } from '../parts/failureNote';
import { showLaboratory } from './opened';
import { OpenReport } from './openReport';
import { ReportHeader } from './reportHeader';

export function BrokenReport({ failure, embedded }: { failure: Failure; embedded: boolean }) {
  const note = <FailureNote title="This report cannot be shown" failure={failure} />;
  if (embedded) return <main className="embed">{note}</main>;
  return (
    <>
      <ReportHeader />
      <main className="main report">
        <section className="card" aria-labelledby="broken-title">
          <h2 id="broken-title" className="report-title">
            No report here
          </h2>
          <p className="report-lead">No number is shown, because the page cannot tell which ones are the author’s.</p>
          {note}
          <OpenReport />
          <div className="report-actions">
            <button type="button" className="button primary" onClick={showLaboratory}>
              Go to the laboratory
            </button>
          </div>
        </section>
      </main>
    </>
  );
}
