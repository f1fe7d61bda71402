/** @file What a reader can do with a report. None of it happens without a click. */
import { commands } from '../../lab/page/app';
import { reportFile } from '../../report/link/file';
import type { ModelRecord } from '../../report/record';
import { Icon } from '../parts/icons';
import { CompareSlot } from './compareSlot';
import { laboratoryAddress } from './laboratoryAddress';
import { ReproduceSlot } from './reproduceSlot';

export function ReportActions({ record }: { record: ModelRecord }) {
  const address = laboratoryAddress(record.model, location.href);
  return (
    <>
      <div className="report-actions">
        {address && (
          <button type="button" className="button primary" onClick={() => location.assign(address)}>
            Open this model in the laboratory
          </button>
        )}
        <button type="button" className="button" onClick={() => commands.saveImage(reportFile(record))}>
          <Icon name="download" /> Save as file
        </button>
        <button type="button" className="button" onClick={() => print()}>
          Print or save as PDF
        </button>
      </div>
      {!address && (
        <p className="hint">
          The author opened this model from files of their device. To work with it, open the same files in the
          laboratory.
        </p>
      )}
      <ReproduceSlot record={record} />
      <CompareSlot record={record} />
    </>
  );
}
