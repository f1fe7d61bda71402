/** @file Adds a text to train on: pasted, dropped or chosen. Nothing is uploaded. */
import { useState } from 'react';
import type { CorpusInfo } from '../../lab/contract/types';
import { commands } from '../../lab/page/app';
import { textFileTypes } from '../../text/documents';
import { FailureNote } from '../parts/failureNote';
import { Icon } from '../parts/icons';
import { useDrop } from '../parts/useDrop';
import { useTask } from '../parts/useLab';

export function OwnText({ onAdded }: { onAdded: (text: CorpusInfo) => void }) {
  const [pasted, setPasted] = useState('');
  const task = useTask('text:add');
  const running = task.phase === 'running';
  const add = async (source: string | File | undefined): Promise<void> => {
    const added = source === undefined ? undefined : await commands.addText(source);
    if (added) onAdded(added);
  };
  const drop = useDrop('retrain-drop', ({ files }) => void add(files[0]));
  return (
    <div className={drop.className} {...drop.handlers}>
      <textarea
        className="field"
        aria-label="Pasted text to train on"
        rows={3}
        spellCheck={false}
        placeholder="Paste a few thousand words, or drop a .txt, .md, .jsonl or .parquet file here"
        value={pasted}
        onChange={({ target }) => setPasted(target.value)}
      />
      <div className="retrain-fields">
        <button
          type="button"
          className="button small"
          disabled={running || pasted.trim() === ''}
          onClick={() => void add(pasted)}
        >
          Use the pasted text
        </button>
        <label className="button small file-button">
          <Icon name="folder" /> Choose a file
          <input
            type="file"
            className="sr-only"
            accept={textFileTypes}
            onChange={({ target }) => {
              void add(target.files?.[0]);
              target.value = ''; // the same choice again is a new choice
            }}
          />
        </label>
        <span className="hint">It stays on this device.</span>
      </div>
      {task.phase === 'failed' && <FailureNote title="The text could not be read" failure={task.failure} />}
    </div>
  );
}
