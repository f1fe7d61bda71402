/** @file The report as files: JSON with everything, Markdown, CSV, and print. */
import { commands } from '../../lab/page/app';
import { recordCsv } from '../../report/csv';
import { reportFile } from '../../report/link/file';
import { recordMarkdown } from '../../report/markdown';
import type { ModelRecord } from '../../report/record';
import { fileWords } from '../charts/frame/words';
import { Icon } from '../parts/icons';

interface Props {
  /** Null until it is read. */
  record: ModelRecord | null;
  link: string | null;
}

export function FilesPart({ record, link }: Props) {
  const name = (ending: string): string => {
    const words = fileWords(record?.title ?? record?.model.card?.title ?? record?.model.id ?? '');
    return `${['secateur', words].filter((part) => part !== '').join('-')}.${ending}`;
  };
  const markdown = (found: ModelRecord): File =>
    new File([recordMarkdown(found, link === null ? {} : { link })], name('md'), { type: 'text/markdown' });
  const csv = (found: ModelRecord): File => new File([recordCsv(found)], name('csv'), { type: 'text/csv' });
  const files: readonly (readonly [label: string, about: string, make: (found: ModelRecord) => File])[] = [
    ['Save as file', 'JSON with everything that was measured; this page opens it', reportFile],
    ['Markdown', 'A report for GitHub or a notebook', markdown],
    ['CSV', 'All numbers for a spreadsheet, unrounded: one row per variant and measurement', csv],
  ];
  return (
    <section className="share-files" aria-labelledby="share-files-title">
      <h3 id="share-files-title">Files</h3>
      <div className="note-actions">
        {files.map(([label, about, make]) => (
          <button
            type="button"
            key={label}
            className="button"
            title={about}
            disabled={!record}
            onClick={() => record && commands.saveReport(make(record))}
          >
            <Icon name="download" /> {label}
          </button>
        ))}
        {link !== null && (
          <a className="button" href={link} target="_blank" rel="noreferrer">
            <Icon name="expand" /> Open the report, print it or save it as PDF
          </a>
        )}
      </div>
      <p className="hint">Below each chart of the page are buttons for its image as PNG and SVG.</p>
    </section>
  );
}
