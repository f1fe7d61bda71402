/**
 * @file Asks what to do with a task that does not stop, and says what a restart would lose; reports a restart of the
 * laboratory.
 */
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
      ? 'It has not responded for two minutes. It may be computing on the CPU, which cannot be interrupted, or it may hang.'
      : sure
        ? 'It was cancelled but is still running.'
        : 'The laboratory is busy with this or another task.';
  return (
    <aside className="note wide" role="alert" aria-label={title}>
      <Icon name="alert" />
      <div className="note-body">
        <strong>{title}</strong>
        <p>
          {why} Restarting the laboratory ends it and loses all unfinished work: {enumerate(loses.map(taskName))}. The
          model, its variants and all finished numbers are kept.
        </p>
        <div className="note-actions">
          <button type="button" className="button small danger" onClick={() => void commands.restartLaboratory()}>
            Restart
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
    <aside className="note wide" role="status" aria-label="The laboratory was restarted">
      <Icon name="info" />
      <div className="note-body">
        <strong>The laboratory was restarted</strong>
        <p>{reason} The model, its variants and all finished numbers were kept.</p>
        <div className="note-actions">
          <button type="button" className="button small" onClick={commands.dismissInterruption}>
            Close
          </button>
        </div>
      </div>
    </aside>
  );
}
