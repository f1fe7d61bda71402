/** @file The buttons that download a chart as PNG and SVG, with its title, legend, model and date. */
import { type RefObject, useState } from 'react';
import { type Failure, toFailure } from '../../../lab/contract/failure';
import { commands } from '../../../lab/page/app';
import { program } from '../../../report/record';
import { FailureNote } from '../../parts/failureNote';
import { Icon } from '../../parts/icons';
import { useLab } from '../../parts/useLab';
import { chartSvg, pngFile, svgFile } from './image';
import { fileWords } from './words';

interface Props {
  /** Holds the chart and its legend. */
  frame: RefObject<HTMLElement | null>;
  title: string;
  /** Name of the files, without model and extension. */
  name: string;
  /** What was measured, and by which device. */
  note: string;
}

export function ChartDownloads({ frame, title, name, note }: Props) {
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
      {failure && <FailureNote title="The image could not be made" failure={failure} />}
    </div>
  );
}
