/**
 * @file A report that was opened by its link or as a file: charts and tables from its data, without a GPU, a worker, a model or
 * a request.
 */
import './report.css';
import { useEffect, useState } from 'react';
import { createStore } from 'zustand/vanilla';
import { LabError } from '../../errors';
import { type Failure, toFailure } from '../../lab/contract/failure';
import { lab } from '../../lab/page/app';
import { stateOfRecord } from '../../lab/page/recordState';
import type { LabState, LabStore } from '../../lab/page/store';
import type { ModelRecord } from '../../report/record';
import { ReadOnlyContext } from '../parts/readOnly';
import { LabStoreContext } from '../parts/useLab';
import { BrokenReport } from './brokenReport';
import { EmbeddedReport } from './embeddedReport';
import { embedOf } from './embedding';
import type { ReportSource } from './opened';
import { reportTitle } from './titles';
import { WholeReport } from './wholeReport';

type Reading =
  | { readonly phase: 'reading' }
  | { readonly phase: 'failed'; readonly failure: Failure }
  | { readonly phase: 'read'; readonly record: ModelRecord; readonly store: LabStore };

export default function ReportPage({ source }: { source: ReportSource }) {
  const reading = useReading(source);
  const embed = embedOf(location.search);
  useTitle(reading.phase === 'read' ? reportTitle(reading.record) : 'Report');
  if (reading.phase === 'reading') return <main className="main" aria-busy="true" />;
  if (reading.phase === 'failed') return <BrokenReport failure={reading.failure} embedded={embed !== null} />;
  const { record, store } = reading;
  return (
    <ReadOnlyContext.Provider value={true}>
      <LabStoreContext.Provider value={store}>
        {embed ? <EmbeddedReport record={record} view={embed} /> : <WholeReport record={record} />}
      </LabStoreContext.Provider>
    </ReadOnlyContext.Provider>
  );
}

function useReading(source: ReportSource): Reading {
  const [reading, setReading] = useState<Reading>({ phase: 'reading' });
  useEffect(() => {
    let left = false;
    const show = (next: Reading): void => {
      if (!left) setReading(next);
    };
    show({ phase: 'reading' });
    read(source).then(
      (record) => show(shownAs(record)),
      (thrown: unknown) => show({ phase: 'failed', failure: toFailure(thrown) }),
    );
    return () => {
      left = true;
    };
  }, [source]);
  return reading;
}

async function read(source: ReportSource): Promise<ModelRecord> {
  if (source.kind === 'link') return lab.openReport(source.text);
  if (source.file) return lab.openReport(source.file);
  throw new LabError('bad-report', 'The page was loaded again without the file of the report.', 'Open the file again.');
}

function shownAs(record: ModelRecord): Reading {
  try {
    const state = stateOfRecord(record);
    return { phase: 'read', record, store: createStore<LabState>(() => state) };
  } catch (thrown) {
    return { phase: 'failed', failure: toFailure(thrown) };
  }
}

/** The title of the tab, as long as this page is shown. */
function useTitle(title: string): void {
  useEffect(() => {
    const before = document.title;
    document.title = `${title} · Secateur`;
    return () => {
      document.title = before;
    };
  }, [title]);
}
