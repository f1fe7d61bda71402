/** @file A running task: its stage, its progress and a Cancel button. */

import { useEffect, useRef, useState } from 'react';
import { commands } from '../../lab/page/app';
import type { TaskKey } from '../../lab/page/store';
import type { Progress } from '../../task';
import { bytes } from './format';
import { progressShare, progressText, type RateSample, rateOf, remainingText, withSample } from './progress';

interface Props {
  /** Shown until the task reports a stage. */
  label: string;
  progress: Progress | null;
  taskKey: TaskKey;
  /** One line without a stage, for narrow places. */
  compact?: boolean;
}

export function ProgressBar({ label, progress, taskKey, compact = false }: Props) {
  const share = progressShare(progress);
  const rate = useByteRate(progress);
  const stage = progress?.stage || label;
  const count = progress ? progressText(progress) : '';
  return (
    <div className={compact ? 'progress compact' : 'progress'}>
      <div className="progress-text">
        <span className="progress-stage">{stage}</span>
        <span className="progress-count">
          {count}
          {rate !== null && ` · ${bytes(rate)}/s`}
          {progress && rate !== null && remainingText(progress, rate)}
        </span>
      </div>
      <div className="progress-line">
        <div
          className={share === null ? 'track unknown' : 'track'}
          role="progressbar"
          aria-label={label}
          aria-valuemin={0}
          aria-valuemax={100}
          aria-valuetext={count ? `${stage}, ${count}` : stage}
          {...(share === null ? {} : { 'aria-valuenow': Math.round(share * 100) })}
        >
          <div className="fill" style={share === null ? undefined : { width: `${share * 100}%` }} />
        </div>
        <button type="button" className="button small" onClick={() => commands.cancelTask(taskKey)}>
          Cancel
        </button>
      </div>
    </div>
  );
}

/** Bytes per second of this stage; null for tasks that count other units. */
function useByteRate(progress: Progress | null): number | null {
  const samples = useRef<RateSample[]>([]);
  const [rate, setRate] = useState<number | null>(null);
  const done = progress?.unit === 'bytes' ? progress.done : null;
  const stage = progress?.stage ?? '';
  useEffect(() => {
    samples.current = withSample(samples.current, done === null ? null : { time: performance.now(), done, stage });
    setRate(rateOf(samples.current));
  }, [done, stage]);
  return rate;
}
