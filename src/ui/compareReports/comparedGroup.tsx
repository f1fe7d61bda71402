/** @file One group of reports that compare: their chart, and their variants by device. */
import { lazy, Suspense, useMemo, useState } from 'react';
import type { ComparedGroup } from '../../report/compared';
import type { ModelRecord } from '../../report/record';
import type { Side } from '../../report/verdict';
import { ChartFrame } from '../charts/frame/chartFrame';
import type { LegendItem } from '../charts/frame/legend';
import { chartHeights } from '../charts/sizes';
import { Boundary } from '../parts/boundary';
import { percent, perplexity, plural, times } from '../parts/format';
import { Segmented } from '../parts/segmented';
import { SoftwareBadge } from '../parts/softwareBadge';
import { modelName, reportTitle } from '../report/titles';
import { commonWay, deviceOf, kindText, type Measure, pointsOf, pointsTable, seriesOf, speedOf } from './points';
import { SeriesMark } from './seriesMark';

const ComparedChart = lazy(() => import('./comparedChart'));

interface Props {
  group: ComparedGroup;
  records: readonly ModelRecord[];
}

const sides: readonly (readonly [Side, string])[] = [
  ['depth', 'depth: without blocks or sub-blocks'],
  ['width', 'width: without heads or neurons'],
  ['mixed', 'both'],
];

export function ComparedGroupCard({ group, records }: Props) {
  const [measure, setMeasure] = useState<Measure>('perplexity');
  const points = useMemo(() => pointsOf(group, records, measure), [group, records, measure]);
  const way = commonWay(group);
  const first = records[group.reports[0]!]!;
  const title = measure === 'perplexity' ? 'Perplexity against parameters kept' : 'Speed-up against parameters kept';
  const text = group.text && `${group.text.sequences} × ${group.text.seqLen} tokens of ${group.text.corpus}`;
  const note = measure === 'perplexity' ? (text ?? '') : (way?.words ?? '');
  const model = modelName(first);
  return (
    <section className="card compared-group" aria-label={`${model}, ${plural(group.reports.length, 'report')}`}>
      <h2>
        {model} <span className="soft">· {plural(group.reports.length, 'report')}</span>
      </h2>
      {group.why && <p className="compared-why">Shown apart. {group.why}</p>}
      {way && (
        <Segmented
          legend="Measure"
          options={[
            { value: 'perplexity', label: 'Perplexity' },
            { value: 'speed', label: 'Speed-up' },
          ]}
          value={measure}
          onChange={(value) => setMeasure(value as Measure)}
        />
      )}
      {points.length > 0 ? (
        <>
          <p className="sub">{note}</p>
          <ChartFrame
            title={`${title}, ${model}`}
            name="reports"
            note={note}
            legend={legendOf(group, records)}
            table={pointsTable(points, measure)}
          >
            <div className="chart-room" style={{ height: chartHeights.variants }}>
              <Boundary title="The chart could not be drawn">
                <Suspense fallback={<div className="chart-wait" aria-hidden="true" />}>
                  <ComparedChart points={points} measure={measure} />
                </Suspense>
              </Boundary>
            </div>
          </ChartFrame>
        </>
      ) : (
        <p className="hint">No variant of these reports has this number beside that of its original model.</p>
      )}
      <ByDevice group={group} records={records} way={way?.key} />
    </section>
  );
}

function legendOf(group: ComparedGroup, records: readonly ModelRecord[]): LegendItem[] {
  const { names } = seriesOf(group, records);
  const shown = sides.filter(([side]) => group.variants.some((variant) => variant.side === side));
  const repaired = group.variants.some((variant) => variant.repaired);
  return [
    ...names.map((text, series) => ({
      text,
      drawing: <SeriesMark side="depth" repaired={false} {...{ series, x: 11, y: 7 }} />,
    })),
    ...shown.map(([side, text]) => ({
      text,
      drawing: (
        <g className="series-plain">
          <SeriesMark side={side} repaired={false} series={0} x={11} y={7} />
        </g>
      ),
    })),
    ...(repaired ? [{ text: 'repaired', drawing: <circle className="series-ring" cx={11} cy={7} r={6} /> }] : []),
  ];
}

/** Every variant, under the device that measured it. */
function ByDevice({ group, records, way }: Props & { way: string | undefined }) {
  const devices = [...new Set(group.reports.map((report) => deviceOf(records[report]!)))];
  const of = (device: string) => group.reports.filter((report) => deviceOf(records[report]!) === device);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable from the keyboard
    <section className="table-scroll" tabIndex={0} aria-label="Variants by device">
      <table className="table compared-table">
        <caption className="sr-only">Variants by device</caption>
        <thead>
          <tr>
            <th scope="col">variant</th>
            <th scope="col">report</th>
            <th scope="col">kind</th>
            <th scope="col">kept</th>
            <th scope="col">perplexity</th>
            <th scope="col">÷ original’s</th>
            <th scope="col">speed-up</th>
          </tr>
        </thead>
        {devices.map((device) => (
          <tbody key={device}>
            <tr>
              <th scope="rowgroup" colSpan={7} className="compared-device">
                {device} {of(device).some((report) => records[report]!.device?.software) && <SoftwareBadge />}
              </th>
            </tr>
            {group.variants
              .filter(({ report }) => deviceOf(records[report]!) === device)
              .map((variant) => (
                <tr key={`${variant.report} ${variant.variant}`}>
                  <th scope="row">{variant.name}</th>
                  <td title={reportTitle(records[variant.report]!)}>{variant.report + 1}</td>
                  <td>{kindText(variant)}</td>
                  <td>{percent(variant.kept)}</td>
                  <td>{variant.perplexity === null ? '–' : perplexity(variant.perplexity)}</td>
                  <td>{variant.relative === null ? '–' : times(variant.relative)}</td>
                  <td>{speedText(speedOf(variant, way)?.speedUp.ratio)}</td>
                </tr>
              ))}
          </tbody>
        ))}
      </table>
    </section>
  );
}

const speedText = (ratio: number | undefined): string => (ratio === undefined ? '–' : times(ratio));
