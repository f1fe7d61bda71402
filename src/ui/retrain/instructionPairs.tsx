/** @file Pairs of instruction and response: pasted, from a file, or of a data set on the Hub. The loss is that of the response alone. */
import { useEffect, useRef, useState } from 'react';
import { type Failure, toFailure } from '../../lab/contract/failure';
import type { Instruction } from '../../lab/contract/retraining';
import { commands } from '../../lab/page/app';
import { FailureNote } from '../parts/failureNote';
import { plural } from '../parts/format';
import { Icon } from '../parts/icons';
import { useDrop } from '../parts/useDrop';
import { HubPairs } from './hubPairs';

interface Props {
  pairs: readonly Instruction[];
  /** `from`: where the pairs come from, as a recipe tells it; null for the user's own. */
  onChange: (pairs: readonly Instruction[], from: string | null) => void;
}

const example = '{"instruction": "Name a colour.", "output": "Green."}';

export function InstructionPairs({ pairs, onChange }: Props) {
  const [text, setText] = useState('');
  /** What the pairs come from: the name of a file, or of a data set with its commit. */
  const [origin, setOrigin] = useState<string | null>(null);
  /** The data set was asked for last: a failure to fetch it is the answer. */
  const [asked, setAsked] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);
  const reads = useRef(0);
  // Whoever leaves for another text wants the pairs no more.
  useEffect(
    () => () => {
      reads.current += 1;
    },
    [],
  );

  /** Whether no other read began since. */
  function begin(shown: { readonly text: string; readonly origin: string | null }, isHub = false): () => boolean {
    reads.current += 1;
    const mine = reads.current;
    setText(shown.text);
    setOrigin(shown.origin);
    setAsked(isHub);
    setFailure(null);
    return () => mine === reads.current;
  }

  async function read(source: string | File): Promise<void> {
    commands.cancelTask('instructions');
    const isLast = begin(source instanceof File ? { text: '', origin: source.name } : { text: source, origin: null });
    try {
      if (typeof source === 'string' && source.trim() === '') return onChange([], null);
      const { readInstructions } = await import('../../retrain/readInstructions');
      const found = await readInstructions(source);
      if (isLast()) onChange(found, null);
    } catch (thrown) {
      if (!isLast()) return;
      setFailure(toFailure(thrown));
      onChange([], null);
    }
  }

  async function fetchPairs(dataset: string): Promise<void> {
    const isLast = begin({ text: '', origin: null }, true);
    onChange([], null);
    const found = await commands.readDataset(dataset);
    if (!found || !isLast()) return;
    const name = /^hf:([^@]+)@/.exec(found.source)?.[1] ?? dataset;
    setOrigin(`${name} (commit ${found.revision.slice(0, 7)}${found.complete ? '' : ', its first rows'})`);
    onChange(found.pairs, found.source);
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
        placeholder={origin === null ? `${example}\n${example}` : `Pairs of ${origin}`}
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
        <HubPairs asked={asked} onFetch={(dataset) => void fetchPairs(dataset)} />
        {(text !== '' || origin !== null) && (
          <button type="button" className="button small quiet" onClick={() => void read('')}>
            Clear
          </button>
        )}
      </div>
      <span className="hint" role="status">
        {pairs.length > 0
          ? `${plural(pairs.length, 'pair')}${origin === null ? '' : ` of ${origin}`}. The loss counts the responses alone.`
          : 'A JSON list, one JSON object a line, a .parquet file or a data set of the Hub, with the fields of Alpaca’s data: instruction, input, output.'}
      </span>
      {failure && <FailureNote title="The pairs could not be read" failure={failure} />}
    </div>
  );
}
