/** @file The model's use of GPU memory, and a limit on it. Blocks beyond the limit are offloaded to storage. */

import { type FormEvent, useEffect, useId, useState } from 'react';
import type { MemoryInfo } from '../../lab/contract/types';
import { commands } from '../../lab/page/app';
import { FailureNote } from '../parts/failureNote';
import { bytes, plural } from '../parts/format';
import { SlimProgress } from '../parts/slimProgress';
import { useLab, useTask } from '../parts/useLab';

export function MemoryPart() {
  const memory = useLab((state) => state.memory);
  const task = useTask('memory');
  useEffect(() => void commands.refreshMemory(), []);
  if (memory === null && task.phase !== 'failed') return null;
  return (
    <div className="kernels-part">
      <div className="bar">
        <h3>GPU memory</h3>
      </div>
      {memory && <p className="quiet-line">{memoryText(memory)}</p>}
      {memory && <Bound key={memory.budgetBytes} budgetBytes={memory.budgetBytes} busy={task.phase === 'running'} />}
      <SlimProgress label="Uploading" task={task} />
      {task.phase === 'failed' && <FailureNote title="The limit could not be set" failure={task.failure} />}
    </div>
  );
}

function Bound({ budgetBytes, busy }: { budgetBytes: number | null; busy: boolean }) {
  const id = useId();
  const [typed, setTyped] = useState(budgetBytes === null ? '' : String(budgetBytes / 1e6));
  const megabytes = Number(typed);
  const valid = typed === '' || megabytes >= 1;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (valid) void commands.limitMemory(typed === '' ? null : megabytes * 1e6);
  };
  return (
    <form className="memory-bound" onSubmit={submit}>
      <label htmlFor={id}>At most</label>
      <input
        id={id}
        className="field"
        type="number"
        min={1}
        inputMode="numeric"
        placeholder="no limit"
        value={typed}
        aria-describedby={`${id}-unit`}
        onChange={(event) => setTyped(event.target.value)}
      />
      <span id={`${id}-unit`}>MB for weights and saved activations</span>
      <button type="submit" className="button" disabled={busy || !valid}>
        Set
      </button>
    </form>
  );
}

function memoryText({ blocks, slots, blockBytes, liveBytes, peakBytes, streamedBytes }: MemoryInfo): string {
  const held = `${bytes(liveBytes)} in use; peak of the last analysis: ${bytes(peakBytes)}.`;
  if (slots >= blocks) return `All ${plural(blocks, 'block')} (${bytes(blockBytes)}) are on the GPU. ${held}`;
  const sent = streamedBytes > 0 ? ` ${bytes(streamedBytes)} were uploaded so far.` : '';
  return `${slots} of ${plural(blocks, 'block')} (${bytes(blockBytes)} in total) fit on the GPU. The others are offloaded: each is uploaded when it is needed, while the previous one computes.${sent} ${held}`;
}
