/** @file The page of a report: what it is about, what was found, the charts, every number, and how each was measured. */

import type { ModelRecord } from '../../report/record';
import { sideOf } from '../../report/verdict';
import { ComparisonCharts } from '../charts/compare/comparisonCharts';
import { EvolutionCard } from '../charts/evolutionCard';
import { LatencyCard } from '../charts/latencyCard';
import { QualityCard } from '../charts/qualityCard';
import { RetrainingCard } from '../charts/retraining/retrainingCard';
import { SearchCard } from '../charts/searchCard';
import { TasksCard } from '../charts/tasks/tasksCard';
import { Boundary } from '../parts/boundary';
import { PrintedFoot } from '../parts/printedFoot';
import { DropReport } from './dropReport';
import { OpenReport } from './openReport';
import { ProtocolCard } from './protocolCard';
import { ReportHeader } from './reportHeader';
import { StripCard } from './stripCard';
import { SummaryCard } from './summaryCard';
import { dateText, modelName } from './titles';
import { TrainingsCard } from './trainingsCard';
import { VariantsCard } from './variantsCard';

/** Depth and width in one report have charts of their own, which tell what the chart of sizes would. */
function comparesSides({ comparison }: ModelRecord): boolean {
  return new Set(comparison.flatMap(({ plan }) => sideOf(plan) ?? [])).size > 1;
}

export function WholeReport({ record }: { record: ModelRecord }) {
  const both = comparesSides(record);
  const measured = dateText(record.created);
  return (
    <>
      <DropReport />
      <ReportHeader />
      <main className="main report">
        <Boundary title="The report could not be drawn">
          <SummaryCard record={record} />
          <StripCard record={record} />
          {both ? (
            <section className="card depth-width" aria-labelledby="depth-width-title">
              <h2 id="depth-width-title">Depth against width</h2>
              <ComparisonCharts />
            </section>
          ) : (
            <div className="two">
              <QualityCard />
              <LatencyCard />
            </div>
          )}
          {both && <LatencyCard />}
          <TasksCard />
          <RetrainingCard />
          <TrainingsCard record={record} />
          <SearchCard />
          <EvolutionCard />
          <VariantsCard record={record} />
          <ProtocolCard record={record} />
        </Boundary>
      </main>
      <footer className="footer report-footer">
        <OpenReport />
        <p>
          Everything on this page comes from the report itself. The page asked no server for it, and it cannot vouch for
          the numbers: its author measured them. To check them, run the report again.
        </p>
      </footer>
      <PrintedFoot about={[modelName(record), measured && `measured ${measured}`, record.program]} />
    </>
  );
}
