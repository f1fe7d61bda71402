/** @file What the page shows: the laboratory, or a report. Which one, its address says. */
import './styles.css';
import { lazy, Suspense, useEffect } from 'react';
import { commands } from '../lab/page/app';
import { useIsComparison } from './compareReports/addressed';
import { Page } from './page';
import { Boundary } from './parts/boundary';
import { useOpenedReport } from './report/opened';

/** The laboratory's visitors do not load what shows reports. */
const ReportPage = lazy(() => import('./report/reportPage'));
const ComparePage = lazy(() => import('./compareReports/comparePage'));

interface Props {
  /** What the laboratory waits for before it starts. */
  settled: Promise<void>;
}

export function Root({ settled }: Props) {
  const report = useOpenedReport();
  const compares = useIsComparison();
  if (report === null && !compares) return <Laboratory settled={settled} />;
  return (
    <Boundary title="The report’s page could not be loaded">
      <Suspense fallback={<main className="main" aria-busy="true" />}>
        {report === null ? <ComparePage /> : <ReportPage source={report} />}
      </Suspense>
    </Boundary>
  );
}

let booted = false;

/** Starts when it is first shown: a page that only shows reports starts no worker. */
function Laboratory({ settled }: Props) {
  useEffect(() => {
    if (booted) return;
    booted = true;
    void settled.then(commands.boot);
  }, [settled]);
  return <Page />;
}
