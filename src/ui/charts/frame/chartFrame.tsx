/**
 * @file The frame of every chart of the page: the chart, its legend, its numbers as a table, and its image as PNG and SVG.
 */
import { type ReactNode, useRef } from 'react';
import { ChartDownloads } from './chartDownloads';
import { ChartLegend, type LegendItem } from './legend';
import { type ChartTable, TableTwin } from './tableTwin';

interface Props {
  /** Title of the image and caption of the table. */
  title: string;
  /** Name of the files, without model and extension: 'quality'. */
  name: string;
  /** In the image below the title: what was measured, and by which device. */
  note: string;
  legend?: readonly LegendItem[];
  table: ChartTable;
  /** Between the chart and its table. */
  below?: ReactNode;
  children: ReactNode;
}

export function ChartFrame({ title, name, note, legend = [], table, below, children }: Props) {
  const frame = useRef<HTMLDivElement>(null);
  return (
    <div className="chart-frame" ref={frame}>
      {children}
      <ChartLegend items={legend} />
      {below}
      <div className="chart-tools">
        <TableTwin caption={title} table={table} />
        <ChartDownloads frame={frame} title={title} name={name} note={note} />
      </div>
    </div>
  );
}
