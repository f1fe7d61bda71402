/** @file 'Compare with other reports': one chart of this report and others. */
import { useState } from 'react';
import { type Failure, toFailure } from '../../lab/contract/failure';
import { shareable } from '../../report/link/share';
import type { ModelRecord } from '../../report/record';
import { showComparison } from '../compareReports/addressed';
import { FailureNote } from '../parts/failureNote';

export function CompareSlot({ record }: { record: ModelRecord }) {
  const [failure, setFailure] = useState<Failure | null>(null);
  async function compare(): Promise<void> {
    try {
      const { title, notes } = record;
      const { url } = await shareable(record, { ...(title && { title }), ...(notes && { notes }), page: '' });
      showComparison([url.replace(/^.*#/, '')]);
    } catch (thrown) {
      setFailure(toFailure(thrown));
    }
  }
  return (
    <>
      <div className="report-actions">
        <button type="button" className="button" onClick={() => void compare()}>
          Compare with other reports
        </button>
      </div>
      {failure && <FailureNote title="The report does not fit into a comparison" failure={failure} />}
    </>
  );
}
