/** @file Pairs of instruction and response, pasted or from a file. The loss is that of the response alone. */
import { useState } from 'react';
import type { Instruction } from '../../lab/contract/retraining';
import { FailureNote } from '../parts/failureNote';
import { plural } from '../parts/format';
import { Icon } from '../parts/icons';
import { readPairs } from './instructions';

interface Props {
  pairs: readonly Instruction[];
  onChange: (pairs: readonly Instruction[]) => void;
}

const example = '{"instruction": "Name a colour.", "output": "Green."}';
/** A larger file is not put into the text field. */
const mostShown = 20_000;

export function InstructionPairs({ pairs, onChange }: Props) {
  const [text, setText] = useState('');
  const [over, setOver] = useState(false);
  const read = readPairs(text);
  const take = (given: string): void => {
    setText(given);
    const result = readPairs(given);
    onChange('pairs' in result ? result.pairs : []);
  };
  const takeFile = (file: File | undefined): void => void file?.text().then(take);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: files can be chosen with the button too
    <div
      className={over ? 'retrain-drop drop over' : 'retrain-drop drop'}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        takeFile(event.dataTransfer.files[0]);
      }}
    >
      <textarea
        className="field mono"
        aria-label="Instruction pairs as JSON or JSON Lines"
        rows={3}
        spellCheck={false}
        placeholder={`${example}\n${example}`}
        readOnly={text.length > mostShown}
        value={text.length > mostShown ? `${text.slice(0, mostShown)}\n…` : text}
        onChange={({ target }) => take(target.value)}
      />
      <div className="retrain-fields">
        <label className="button small file-button">
          <Icon name="folder" /> Choose a .json or .jsonl file
          <input
            type="file"
            className="sr-only"
            accept=".json,.jsonl,application/json"
            onChange={({ target }) => {
              takeFile(target.files?.[0]);
              target.value = ''; // the same choice again is a new choice
            }}
          />
        </label>
        {text !== '' && (
          <button type="button" className="button small quiet" onClick={() => take('')}>
            Clear
          </button>
        )}
        <span className="hint" role="status">
          {pairs.length > 0
            ? `${plural(pairs.length, 'pair')}. The loss counts the responses alone.`
            : 'A JSON list or one object a line, as in Alpaca’s data.'}
        </span>
      </div>
      {'failure' in read && <FailureNote title="The pairs could not be read" failure={read.failure} />}
    </div>
  );
}
