/** @file The field that names a data set on the Hub. Nothing is asked of the Hub before the button is pressed. */
import { useEffect, useState } from 'react';
import { commands } from '../../lab/page/app';
import { FailureNote } from '../parts/failureNote';
import { ProgressBar } from '../parts/progressBar';
import { useTask } from '../parts/useLab';

interface Props {
  /** Whether the data set was what the user asked for last. */
  asked: boolean;
  onFetch: (dataset: string) => void;
}

export function HubPairs({ asked, onFetch }: Props) {
  const [name, setName] = useState('');
  const task = useTask('instructions');
  const running = task.phase === 'running';
  useEffect(() => () => commands.cancelTask('instructions'), []);
  const submit = (): void => {
    if (name.trim() !== '' && !running) onFetch(name.trim());
  };
  return (
    <>
      <span className="retrain-hub">
        <input
          className="field"
          aria-label="Name of a data set on the Hugging Face Hub"
          placeholder="tatsu-lab/alpaca"
          spellCheck={false}
          autoCapitalize="none"
          value={name}
          onChange={({ target }) => setName(target.value)}
          onKeyDown={(event) => {
            if (event.key !== 'Enter') return;
            event.preventDefault(); // the form around it starts a training
            submit();
          }}
        />
        <button type="button" className="button small" disabled={running || name.trim() === ''} onClick={submit}>
          Fetch from the Hub
        </button>
      </span>
      {running && <ProgressBar label="Fetching the pairs" progress={task.progress} taskKey="instructions" />}
      {asked && task.phase === 'failed' && (
        <FailureNote title="The pairs could not be fetched" failure={task.failure} />
      )}
    </>
  );
}
