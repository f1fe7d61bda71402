/**
 * @file Progress as a thin line with reserved space, so that tasks that run after every click do not shift the layout.
 */
import type { TaskState } from '../../lab/page/store';
import { progressShare, progressText } from './progress';

export function SlimProgress({ label, task }: { label: string; task: TaskState }) {
  if (task.phase !== 'running') return <div className="slim" />;
  const share = progressShare(task.progress);
  return (
    <div
      className={share === null ? 'slim track unknown' : 'slim track'}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      {...(share === null ? {} : { 'aria-valuenow': Math.round(share * 100) })}
    >
      <div className="fill" style={share === null ? undefined : { width: `${share * 100}%` }} />
    </div>
  );
}

/** 'Measuring… 1,024 of 2,048 tokens'. */
export function runningText(label: string, task: TaskState): string {
  return task.phase === 'running' && task.progress ? `${label} ${progressText(task.progress)}` : label;
}
