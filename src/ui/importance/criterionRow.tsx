/** @file One criterion of the strip: a radio button, its colours over the blocks, what it would remove first. */
import { chooseCriterion, measure } from '../../lab/commands';
import { FailureNote } from '../parts/failureNote';
import { ProgressBar } from '../parts/progressBar';
import { useLab, useTask } from '../parts/useLab';
import { rampColour } from './colourScale';
import type { MenuItem } from './menu';
import { covers, firstOut, ranksOf, scoreText } from './ranks';
import { type Ranked, useRanked } from './useStrip';

/** So many of the first to go carry their number in their cell. */
const numbered = 4;

interface Props {
  item: MenuItem;
  layers: number;
  removed: ReadonlySet<number>;
}

export function CriterionRow({ item, layers, removed }: Props) {
  const chosen = useLab((state) => state.criterion === item.id);
  const unavailable = useUnavailable(item);
  const ranked = useRanked(item.id);
  return (
    <div className={chosen ? 'strip-row criterion-row chosen' : 'strip-row criterion-row'}>
      <label className="strip-label" title={item.meaning}>
        <input
          type="radio"
          name="criterion"
          value={item.id}
          checked={chosen}
          disabled={unavailable && !ranked}
          onChange={() => void chooseCriterion(item.id)}
        />
        <span>
          {item.label}
          {ranked && ranked.scores.window > 1 && `, n = ${ranked.scores.window}`}
        </span>
      </label>
      {ranked ? <Cells ranked={ranked} layers={layers} removed={removed} /> : <Unmeasured item={item} />}
      <div className="strip-order">{ranked && firstOut(ranked.order)}</div>
    </div>
  );
}

/** Which ink reads on a position of the ramp: in the middle, dark on both themes. */
function inkOn(position: number): '' | 'mid' | 'deep' {
  return position > 0.65 ? 'deep' : position > 0.45 ? 'mid' : '';
}

function Cells({ ranked, layers, removed }: { ranked: Ranked; layers: number; removed: ReadonlySet<number> }) {
  const { scores, order, scale } = ranked;
  const ranks = ranksOf(order);
  const beyond = new Set(scale.beyond);
  return Array.from({ length: layers }, (_, block) => {
    const position = scale.positions[block] ?? null;
    const rank = ranks.get(block);
    const classes = ['cell', removed.has(block) ? 'gone' : '', inkOn(position ?? 0)];
    return (
      <div
        // biome-ignore lint/suspicious/noArrayIndexKey: a block is its index
        key={block}
        className={classes.filter((name) => name !== '').join(' ')}
        style={{ background: rampColour(position) }}
        title={`${covers(block, scores.window)}: ${scoreText(ranked, block, rank)}`}
        aria-hidden="true"
      >
        {beyond.has(block) ? '▲' : rank !== undefined && rank <= numbered ? rank : ''}
      </div>
    );
  });
}

/** The criterion runs the model on the GPU, and there is none. */
function useUnavailable(item: MenuItem): boolean {
  return useLab((state) => state.ready && state.device === null && item.needs === 'gpu');
}

const costs: Readonly<Record<MenuItem['needs'], string>> = {
  gpu: 'runs the model on the calibration text',
  weights: 'reads the weights once',
  nothing: 'needs no measuring',
};

function Unmeasured({ item }: { item: MenuItem }) {
  const task = useTask(`importance:${item.id}`);
  const noGpu = useUnavailable(item);
  const again = (
    <button
      type="button"
      className="button small"
      aria-label={`Measure ${item.label}`}
      onClick={() => void measure(item.id)}
    >
      {task.phase === 'failed' ? 'Try again' : 'Measure'}
    </button>
  );
  return (
    <div className="strip-span">
      {task.phase === 'running' ? (
        <ProgressBar
          label={`Measuring ${item.label}`}
          progress={task.progress}
          taskKey={`importance:${item.id}`}
          compact
        />
      ) : task.phase === 'failed' ? (
        <FailureNote title={`${item.label} could not be measured`} failure={task.failure}>
          {again}
        </FailureNote>
      ) : (
        <div className="unmeasured">
          {noGpu ? <span>needs WebGPU</span> : again}
          {!noGpu && <span>{costs[item.needs]}</span>}
        </div>
      )}
    </div>
  );
}
