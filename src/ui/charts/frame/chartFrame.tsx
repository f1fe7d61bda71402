/**
 * @file The frame of every chart of the page: the chart, its legend, its numbers as a table, and its image as PNG and SVG.
 */
import { type ReactNode, useRef, useState } from 'react';
import { type Failure, toFailure } from '../../../lab/contract/failure';
import { commands } from '../../../lab/page/app';
import { program } from '../../../report/record';
import { FailureNote } from '../../parts/failureNote';
import { Icon } from '../../parts/icons';
import { useLab } from '../../parts/useLab';
import { chartSvg, pngFile, svgFile } from './image';
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
  /** 'Table' unless a chart has more than one. */
  tableSummary?: string;
  /** Between the chart and its table. */
  below?: ReactNode;
  children: ReactNode;
}

export function ChartFrame({ title, name, note, legend = [], table, tableSummary = 'Table', below, children }: Props) {
  const frame = useRef<HTMLDivElement>(null);
  const [failure, setFailure] = useState<Failure | null>(null);
  const model = useLab((state) => state.model?.card?.title ?? state.model?.id ?? '');

  async function download(format: 'png' | 'svg'): Promise<void> {
    if (!frame.current) return;
    setFailure(null);
    try {
      const date = new Date().toISOString().slice(0, 10);
      const footer = [model, date, program].filter((part) => part !== '').join(' · ');
      const image = chartSvg(frame.current, { title, note, footer });
      const file = ['secateur', fileWords(model), name, date].filter((part) => part !== '').join('-');
      commands.saveImage(format === 'svg' ? svgFile(image, file) : await pngFile(image, file));
    } catch (thrown) {
      setFailure(toFailure(thrown));
    }
  }

  return (
    <div className="chart-frame" ref={frame}>
      {children}
      <ChartLegend items={legend} />
      {below}
      {failure && <FailureNote title="The image could not be made" failure={failure} />}
      <div className="chart-tools">
        <TableTwin caption={title} table={table} summary={tableSummary} />
        <div className="chart-downloads">
          {(['png', 'svg'] as const).map((format) => (
            <button
              type="button"
              key={format}
              className="button small quiet"
              aria-label={`Download “${title}” as ${format.toUpperCase()}`}
              title={`Download this chart as ${format.toUpperCase()}`}
              onClick={() => void download(format)}
            >
              <Icon name="download" /> {format.toUpperCase()}
            </button>
          ))}
        </div>
      </div>
    </div>
  );
}

/** A model's name as part of a file's: 'hf:owner/Name-1B' → 'owner-name-1b'. */
function fileWords(model: string): string {
  return model
    .toLowerCase()
    .replace(/^hf:/, '')
    .replaceAll(/[^a-z0-9.]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 60);
}
