/** @file Opens a report from a pasted link or a file. Of a link only the part behind '#' is read: no server is asked for it. */
import { type FormEvent, useId, useState } from 'react';
import { type Failure, toFailure } from '../../lab/contract/failure';
import { lab } from '../../lab/page/app';
import { linksIn } from '../../report/link/fragment';
import { FailureNote } from '../parts/failureNote';
import { showFile, showLink } from './opened';

export function OpenReport() {
  const id = useId();
  const [text, setText] = useState('');
  const [failure, setFailure] = useState<Failure | null>(null);

  async function open(event: FormEvent): Promise<void> {
    event.preventDefault();
    setFailure(null);
    try {
      // Reads it first: a text without a report must not replace what the page shows.
      await lab.openReport(text);
      showLink((linksIn(text)[0] ?? '').replace(/^#/, ''));
      setText('');
    } catch (thrown) {
      setFailure(toFailure(thrown));
    }
  }

  return (
    <form className="open-report" onSubmit={(event) => void open(event)}>
      <label htmlFor={id}>Open a report</label>
      <div className="open-report-line">
        <input
          id={id}
          className="field"
          type="text"
          autoComplete="off"
          spellCheck={false}
          placeholder="Paste its link"
          value={text}
          onChange={({ target }) => setText(target.value)}
        />
        <button type="submit" className="button" disabled={text.trim() === ''}>
          Open
        </button>
        <label className="button file-button">
          Choose a file
          <input
            type="file"
            className="sr-only"
            accept=".json,application/json"
            onChange={({ target }) => {
              const [file] = target.files ?? [];
              if (file) showFile(file);
              target.value = '';
            }}
          />
        </label>
      </div>
      {failure && <FailureNote title="This is no report" failure={failure} />}
    </form>
  );
}
