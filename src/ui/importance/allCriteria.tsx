/** @file One button that measures all remaining criteria; hidden once all are measured. */
import { commands } from '../../lab/page/app';
import { FailureNote } from '../parts/failureNote';
import { ProgressBar } from '../parts/progressBar';
import { useLab, useTask } from '../parts/useLab';
import { menu } from '../strip/menu';

export function AllCriteriaRow() {
  const task = useTask('survey');
  const noGpu = useLab((state) => state.device === null);
  const missing = useLab(({ scores }) => menu.filter(({ id }) => !scores[id]).length);
  if (task.phase !== 'running' && (noGpu || missing === 0)) return null;
  return (
    <div className="strip-row criterion-row">
      <div className="strip-label">
        <button
          type="button"
          className="button small"
          disabled={task.phase === 'running'}
          onClick={() => void commands.measureAll(menu.map(({ id }) => id))}
        >
          All criteria
        </button>
      </div>
      <div className="strip-span">
        {task.phase === 'running' ? (
          <ProgressBar label="Measuring all criteria" progress={task.progress} taskKey="survey" compact />
        ) : task.phase === 'failed' ? (
          <FailureNote title="Not all criteria could be measured" failure={task.failure} />
        ) : (
          <p className="hint">Measures the remaining criteria; most share one forward and backward pass.</p>
        )}
      </div>
      <div className="strip-order" />
    </div>
  );
}
