/** @file Expert panel, folded by default: the kernels in use, the time of each, and GPU memory. */

import { useEffect, useState } from 'react';
import type { TuningInfo } from '../../lab/contract/types';
import { commands } from '../../lab/page/app';
import { Disclosure } from '../parts/disclosure';
import { FailureNote } from '../parts/failureNote';
import { plural, times } from '../parts/format';
import { ProgressBar } from '../parts/progressBar';
import { SoftwareBadge } from '../parts/softwareBadge';
import { useLab, useTask } from '../parts/useLab';
import { gains, operationGroups, operationNames } from './kernelData';
import { MemoryPart } from './memoryPart';
import { ProfileBars } from './profileBars';
import { TilesTable } from './tilesTable';

/** Polling interval of background measurements, in ms. */
const lookMs = 2000;

export function KernelsPanel() {
  const model = useLab((state) => state.model?.id);
  const device = useLab((state) => state.device);
  const [open, setOpen] = useState(false);
  if (model === undefined || !device) return null;
  return (
    <section className="card kernels" aria-label="Kernels">
      <details onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>
          <h2>Kernels</h2>
          <span className="bar-note">shaders in use, time per kernel, GPU memory</span>
        </summary>
        {open && <KernelsBody key={model} software={device.software} adapter={device.adapter} />}
      </details>
    </section>
  );
}

function KernelsBody({ software, adapter }: { software: boolean; adapter: string }) {
  const running = useLab((state) => state.tuning?.running === true);
  useEffect(() => {
    void commands.refreshTuning();
    if (!running) return undefined;
    const timer = setInterval(() => void commands.refreshTuning(), lookMs);
    return () => clearInterval(timer);
  }, [running]);
  return (
    <div className="kernels-body">
      {software && (
        <p className="kernels-software">
          <SoftwareBadge /> These timings come from <b>{adapter}</b>, a software adapter. They do not tell you which
          kernel is fastest on a real GPU.
        </p>
      )}
      <ProfilePart />
      <TuningPart software={software} />
      <MemoryPart />
    </div>
  );
}

function ProfilePart() {
  const task = useTask('profile');
  const { forward, taylor } = useLab((state) => state.profiles);
  return (
    <div className="kernels-part">
      <div className="bar">
        <h3>Time per kernel</h3>
        <span className="spring" />
        {task.phase !== 'running' && (
          <button type="button" className="button" onClick={() => void commands.profileKernels()}>
            Profile{forward && ' again'}
          </button>
        )}
      </div>
      {task.phase === 'running' && <ProgressBar label="Profiling" progress={task.progress} taskKey="profile" />}
      {task.phase === 'failed' && <FailureNote title="The profile failed" failure={task.failure} />}
      {forward || taylor ? (
        <div className="profiles">
          {forward && <ProfileBars title="Forward pass with the loss" profile={forward} />}
          {taylor && <ProfileBars title="Taylor pass, forward and backward" profile={taylor} />}
        </div>
      ) : (
        <p className="quiet-line">
          Times every kernel launch of a forward pass and of a Taylor pass over calibration sequences.
        </p>
      )}
    </div>
  );
}

function TuningPart({ software }: { software: boolean }) {
  const task = useTask('tune');
  const tuning = useLab((state) => state.tuning);
  const groups = operationGroups(tuning?.classes ?? []);
  return (
    <div className="kernels-part">
      <div className="bar">
        <h3>Kernel choice</h3>
        <span className="spring" />
        {tuning && task.phase !== 'running' && (
          <button type="button" className="button" onClick={() => void commands.measureKernels()}>
            {buttonText(tuning)}
          </button>
        )}
      </div>
      {task.phase === 'running' && <ProgressBar label="Measuring kernels" progress={task.progress} taskKey="tune" />}
      {task.phase === 'failed' && <FailureNote title="Measuring the kernels failed" failure={task.failure} />}
      {tuning && <p className="quiet-line">{statusText(tuning, software)}</p>}
      {tuning?.note && <p className="quiet-line">{tuning.note}.</p>}
      {groups.map((group) => (
        <Disclosure key={group.operation} summary={`${operationNames[group.operation]}: ${group.chosen}`}>
          <TilesTable group={group} />
        </Disclosure>
      ))}
    </div>
  );
}

function buttonText({ classes, left }: TuningInfo): string {
  if (classes.length === 0) return 'Measure kernels';
  return left === 0 ? 'Measure again' : `Measure the remaining ${left}`;
}

/** Describes the kernels in use in a sentence or two. */
function statusText({ classes, left, forced, running, inHalfPrecision }: TuningInfo, software: boolean): string {
  if (forced !== null) return `The page’s address sets ${forced}: every matmul that supports this kernel uses it.`;
  if (running) return 'The page is measuring kernels on this adapter in the background. It does this once.';
  if (classes.length === 0) {
    const why = software ? ', because its timings do not apply to a real GPU' : '';
    return `No kernel was measured on this adapter${why}: every matmul uses the default kernel.`;
  }
  const better = gains(classes);
  const found = better
    ? `another kernel than the default is faster for ${better.faster}, by up to ${times(better.most)}`
    : 'the default kernel is the fastest for each';
  const rest = left === 0 ? '' : ` ${plural(left, 'unmeasured shape')} ${left === 1 ? 'uses' : 'use'} the default.`;
  const half = inHalfPrecision ? ' Some matmuls compute in f16.' : '';
  return `Of ${plural(classes.length, 'shape')} measured, ${found}. Stored for this adapter.${rest}${half}`;
}
