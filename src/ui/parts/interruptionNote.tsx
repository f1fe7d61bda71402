/** @file When a task does not stop: what ending it would cost, and the choice; and the news that the laboratory was started again. */
import { commands } from '../../lab/page/app';
import type { Interruption } from '../../lab/page/store';
import { Icon } from './icons';
import { enumerate, taskName } from './names';
import { useLab } from './useLab';

export function InterruptionNote() {
  const interruption = useLab((state) => state.interruption);
  if (interruption === null) return null;
  return interruption.phase === 'asking' ? <Question {...interruption} /> : <News {...interruption} />;
}

function Question({ task, sure, loses }: Extract<Interruption, { phase: 'asking' }>) {
  const name = task === null ? 'the laboratory' : taskName(task);
  const title = `${name[0]!.toUpperCase()}${name.slice(1)} ${task === null ? 'does not answer' : 'does not stop'}`;
  const why =
    task === null
      ? 'It has been silent for two minutes. It may be computing on the CPU, which nothing can interrupt, or it may hang.'
      : sure
        ? 'It was cancelled, and it is what runs.'
        : 'Something keeps the laboratory busy; it may be this or another task.';
  return (
    <aside className="note wide" role="alert" aria-label={title}>
      <Icon name="alert" />
      <div className="note-body">
        <strong>{title}</strong>
        <p>
          {why} Starting the laboratory again ends it, and with it what has not finished:{' '}
          {enumerate(loses.map(taskName))}. The model, its variants and all finished numbers stay.
        </p>
        <div className="note-actions">
          <button type="button" className="button small danger" onClick={() => void commands.restartLaboratory()}>
            Start again
          </button>
          <button type="button" className="button small" onClick={commands.dismissInterruption}>
            Keep waiting
          </button>
        </div>
      </div>
    </aside>
  );
}

function News({ reason }: Extract<Interruption, { phase: 'restarted' }>) {
  return (
    <aside className="note wide" role="status" aria-label="The laboratory was started again">
      <Icon name="info" />
      <div className="note-body">
        <strong>The laboratory was started again</strong>
        <p>{reason} The model, its variants and all finished numbers are still there.</p>
        <div className="note-actions">
          <button type="button" className="button small" onClick={commands.dismissInterruption}>
            Close
          </button>
        </div>
      </div>
    </aside>
  );
}
