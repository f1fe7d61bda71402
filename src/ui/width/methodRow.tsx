/**
 * @file One width method of the strip: a radio button, and for each block the colours of its heads above the colours of its
 * neurons in order of their scores.
 */
import type { WidthEntry } from '../../importance/methods';
import { commands } from '../../lab/page/app';
import { FailureNote } from '../parts/failureNote';
import { ProgressBar } from '../parts/progressBar';
import { useLab, useTask } from '../parts/useLab';
import { rampColour } from '../strip/colourScale';
import { bands } from '../strip/remains';
import { useWidthRanked } from './useWidth';
import { profileGradient, type WidthRanked } from './widthRanked';
import { profileText, unitPlace } from './words';

const costs: Readonly<Record<WidthEntry['needs'], string>> = {
  gpu: 'runs the model on the calibration text',
  weights: 'reads the weights only',
  nothing: 'needs no measurement',
};

export function MethodRow({ method, layers }: { method: WidthEntry; layers: number }) {
  const { id, label, meaning } = method;
  const chosen = useLab((state) => state.widthMethod === id);
  const ranked = useWidthRanked(id);
  const noGpu = useLab((state) => state.ready && state.device === null && method.needs === 'gpu');
  return (
    <div className={chosen ? 'strip-row criterion-row chosen' : 'strip-row criterion-row'}>
      <label className="strip-label" title={meaning}>
        <input
          type="radio"
          name="width-method"
          value={id}
          checked={chosen}
          disabled={noGpu && !ranked}
          onChange={() => void commands.chooseWidthMethod(id)}
        />
        <span>{label}</span>
      </label>
      {ranked ? <Cells ranked={ranked} layers={layers} /> : <Unmeasured method={method} noGpu={noGpu} />}
      <div className="strip-order">{ranked?.order.slice(0, 3).map(unitPlace).join(' · ')}</div>
    </div>
  );
}

/** A method's colours of heads and neurons, block by block. */
export function Cells({ ranked, layers }: { ranked: WidthRanked; layers: number }) {
  return Array.from({ length: layers }, (_, block) => {
    const heads = ranked.heads[block] ?? [];
    const scores = heads.map(ranked.formatHead).join(', ');
    const title = `Block ${block} by ${ranked.label}. Heads: ${scores || 'none'}. Neurons: ${profileText(ranked, block)}`;
    return (
      // biome-ignore lint/suspicious/noArrayIndexKey: a block is its index
      <div key={block} className="width-cell" title={title} aria-hidden="true">
        <span style={{ background: bands((ranked.headPositions[block] ?? []).map(rampColour)) }} />
        <span style={{ background: profileGradient(ranked.profilePositions[block]) }} />
      </div>
    );
  });
}

function Unmeasured({ method: { id, label, needs }, noGpu }: { method: WidthEntry; noGpu: boolean }) {
  const key = `width:${id}` as const;
  const task = useTask(key);
  const again = (
    <button
      type="button"
      className="button small"
      aria-label={`Measure ${label}`}
      onClick={() => void commands.measureWidth(id)}
    >
      {task.phase === 'failed' ? 'Try again' : 'Measure'}
    </button>
  );
  return (
    <div className="strip-span">
      {task.phase === 'running' ? (
        <ProgressBar label={`Measuring ${label}`} progress={task.progress} taskKey={key} compact />
      ) : task.phase === 'failed' ? (
        <FailureNote title={`${label} could not be measured`} failure={task.failure}>
          {again}
        </FailureNote>
      ) : (
        <div className="unmeasured">
          {noGpu ? <span>needs WebGPU</span> : again}
          {!noGpu && <span>{costs[needs]}</span>}
        </div>
      )}
    </div>
  );
}
