/** @file Adds a text of the user: pasted, dropped or chosen. Nothing is uploaded. */

import { type FormEvent, useState } from 'react';
import { commands } from '../../lab/page/app';
import { textFileTypes } from '../../text/documents';
import { Icon } from '../parts/icons';
import { useDrop } from '../parts/useDrop';
import { useTask } from '../parts/useLab';

export function AddText() {
  const [pasted, setPasted] = useState('');
  const [added, setAdded] = useState<string | null>(null);
  const running = useTask('text:add').phase === 'running';
  const take = async (sources: readonly (string | File)[]): Promise<boolean> => {
    setAdded(null);
    const titles: string[] = [];
    for (const source of sources) {
      const info = await commands.addText(source);
      if (!info) return false;
      titles.push(info.title);
    }
    setAdded(titles.join(', '));
    return titles.length > 0;
  };
  const drop = useDrop('source', ({ files }) => void take([...files]));
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void take([pasted]).then((done) => done && setPasted(''));
  };
  return (
    <form className={drop.className} aria-label="Add a text" onSubmit={submit} {...drop.handlers}>
      <h3>Your own text</h3>
      <div className="corpus-choice">
        <p className="hint">
          Drop a .txt, .md, .jsonl (field “text”) or .parquet file here, or paste text. It stays on this device.
        </p>
        <textarea
          className="field"
          aria-label="Pasted text"
          rows={3}
          spellCheck={false}
          placeholder="A few hundred words or more"
          value={pasted}
          onChange={(event) => setPasted(event.target.value)}
        />
      </div>
      <div className="source-actions">
        <label className="button file-button">
          <Icon name="folder" />
          Choose a file
          <input
            type="file"
            className="sr-only"
            accept={textFileTypes}
            onChange={(event) => {
              void take([...(event.target.files ?? [])]);
              event.target.value = ''; // the same choice again is a new choice
            }}
          />
        </label>
        <button type="submit" className="button" disabled={running || pasted.trim() === ''}>
          Add the pasted text
        </button>
      </div>
      <p className="hint" role="status">
        {added !== null && added !== '' && `Added: ${added}. Choose it above.`}
      </p>
    </form>
  );
}
