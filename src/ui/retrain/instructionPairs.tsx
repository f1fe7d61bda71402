/** @file Pairs of instruction and response, pasted or from a file. The loss is that of the response alone. */
import { useRef, useState } from 'react';
import { type Failure, toFailure } from '../../lab/contract/failure';
import type { Instruction } from '../../lab/contract/retraining';
import { FailureNote } from '../parts/failureNote';
import { plural } from '../parts/format';
import { Icon } from '../parts/icons';
import { useDrop } from '../parts/useDrop';

interface Props {
  pairs: readonly Instruction[];
  onChange: (pairs: readonly Instruction[]) => void;
}

const example = '{"instruction": "Name a colour.", "output": "Green."}';

export function InstructionPairs({ pairs, onChange }: Props) {
  const [text, setText] = useState('');
  /** Name of the file that the pairs come from. */
  const [file, setFile] = useState<string | null>(null);
  const [failure, setFailure] = useState<Failure | null>(null);
  const reads = useRef(0);

  async function read(source: string | File): Promise<void> {
    reads.current += 1;
    const mine = reads.current;
    const isLast = (): boolean => mine === reads.current;
    setFile(source instanceof File ? source.name : null);
    setText(source instanceof File ? '' : source);
    setFailure(null);
    try {
      if (typeof source === 'string' && source.trim() === '') return onChange([]);
      const { readInstructions } = await import('../../retrain/readInstructions');
      const found = await readInstructions(source);
      if (isLast()) onChange(found);
    } catch (thrown) {
      if (!isLast()) return;
      setFailure(toFailure(thrown));
      onChange([]);
    }
  }

  const readFile = (given: File | undefined): void => {
    if (given) void read(given);
  };
  const drop = useDrop('retrain-drop', ({ files }) => readFile(files[0]));
  return (
    <div className={drop.className} {...drop.handlers}>
      <textarea
        className="field mono"
        aria-label="Instruction pairs as JSON or JSON Lines"
        rows={3}
        spellCheck={false}
        placeholder={file === null ? `${example}\n${example}` : `Pairs of ${file}`}
        value={text}
        onChange={({ target }) => void read(target.value)}
      />
      <div className="retrain-fields">
        <label className="button small file-button">
          <Icon name="folder" /> Choose a file
          <input
            type="file"
            className="sr-only"
            accept=".json,.jsonl,.ndjson,.parquet"
            onChange={({ target }) => {
              readFile(target.files?.[0]);
              target.value = ''; // the same choice again is a new choice
            }}
          />
        </label>
        {(text !== '' || file !== null) && (
          <button type="button" className="button small quiet" onClick={() => void read('')}>
            Clear
          </button>
        )}
        <span className="hint" role="status">
          {pairs.length > 0
            ? `${plural(pairs.length, 'pair')}${file === null ? '' : ` of ${file}`}. The loss counts the responses alone.`
            : 'A JSON list, one JSON object a line, or a .parquet file, as in Alpaca’s data.'}
        </span>
      </div>
      {failure && <FailureNote title="The pairs could not be read" failure={failure} />}
    </div>
  );
}
