/**
 * @file One criterion of the strip: a radio button, its colours over the blocks, and the units that it would remove
 * first.
 */
import { commands } from '../../lab/page/app';
import type { DepthMode } from '../../lab/page/store';
import { FailureNote } from '../parts/failureNote';
import { ProgressBar } from '../parts/progressBar';
import { useLab, useTask } from '../parts/useLab';
import { Columns, ScoreCell } from '../strip/cell';
import type { MenuItem } from '../strip/menu';
import { firstOut, ranksOf } from '../strip/ranks';
import { measuringKey, type Ranked, useChosenCriterion, useRanked } from '../strip/useStrip';

interface Props {
  item: MenuItem;
  mode: DepthMode;
  layers: number;
  /** Indices of the blocks or sub-blocks that the plan removes. */
  removed: ReadonlySet<number>;
}

export function CriterionRow({ item, mode, layers, removed }: Props) {
  const chosen = useChosenCriterion() === item.id;
  const unavailable = useUnavailable(item);
  const ranked = useRanked(mode, item.id);
  return (
    <div className={chosen ? 'strip-row criterion-row chosen' : 'strip-row criterion-row'}>
      <label className="strip-label" title={item.meaning}>
        <input
          type="radio"
          name="criterion"
          value={item.id}
          checked={chosen}
          disabled={unavailable && !ranked}
          onChange={() => void commands.chooseCriterion(item.id)}
        />
        <span>
          {item.label}
          {ranked && ranked.scores.window > 1 && `, n = ${ranked.scores.window}`}
        </span>
      </label>
      {ranked ? <Cells ranked={ranked} layers={layers} removed={removed} /> : <Unmeasured item={item} mode={mode} />}
      <div className="strip-order">{ranked && firstOut(ranked.order, mode, mode === 'blocks' ? 4 : 3)}</div>
    </div>
  );
}

function Cells({ ranked, layers, removed }: { ranked: Ranked; layers: number; removed: ReadonlySet<number> }) {
  const ranks = ranksOf(ranked.order);
  const cell = (index: number) => (
    <ScoreCell key={index} ranked={ranked} index={index} rank={ranks.get(index)} removed={removed.has(index)} />
  );
  return <Columns layers={layers} mode={ranked.mode} cell={cell} />;
}

/** True if the criterion needs a GPU and there is none. */
function useUnavailable(item: MenuItem): boolean {
  return useLab((state) => state.ready && state.device === null && item.needs === 'gpu');
}

const costs: Readonly<Record<MenuItem['needs'], string>> = {
  gpu: 'runs the model on the calibration text',
  weights: 'reads the weights only',
  nothing: 'needs no measurement',
};

function Unmeasured({ item, mode }: { item: MenuItem; mode: DepthMode }) {
  const key = measuringKey(mode, item.id);
  const task = useTask(key);
  const noGpu = useUnavailable(item);
  const surveyed = useTask('survey').phase === 'running' && mode === 'blocks';
  const again = (
    <button
      type="button"
      className="button small"
      aria-label={`Measure ${item.label}`}
      onClick={() => void (mode === 'blocks' ? commands.measure(item.id) : commands.measureSubBlocks(item.id))}
    >
      {task.phase === 'failed' ? 'Try again' : 'Measure'}
    </button>
  );
  return (
    <div className="strip-span">
      {task.phase === 'running' ? (
        <ProgressBar label={`Measuring ${item.label}`} progress={task.progress} taskKey={key} compact />
      ) : task.phase === 'failed' ? (
        <FailureNote title={`${item.label} could not be measured`} failure={task.failure}>
          {again}
        </FailureNote>
      ) : (
        <div className="unmeasured">
          {noGpu ? <span>needs WebGPU</span> : !surveyed && again}
          {!noGpu && <span>{surveyed ? 'measured together with the other criteria' : costs[item.needs]}</span>}
        </div>
      )}
    </div>
  );
}
