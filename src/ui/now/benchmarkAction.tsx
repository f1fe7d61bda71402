/** @file The page's one primary action: measure the edited plan with the runtime that would be deployed. */
import { benchmarkDraft } from '../../lab/commands';
import type { PruningPlan } from '../../lab/types';
import { FailureNote } from '../parts/failureNote';
import { isWhole } from '../parts/names';
import { ProgressBar } from '../parts/progressBar';
import { useLab, useTask } from '../parts/useLab';
import { rowOf } from './current';

export function BenchmarkAction({ plan }: { plan: PruningPlan }) {
  const task = useTask('benchmark');
  const comparison = useLab((state) => state.comparison);
  const done = (rowOf(comparison, plan)?.latency.length ?? 0) > 0;
  const what = isWhole(plan) ? 'the whole model' : 'this variant';
  if (task.phase === 'running') {
    return (
      <div className="action">
        <ProgressBar label="Benchmarking" progress={task.progress} taskKey="benchmark" />
        <p className="hint">Go on cutting: the benchmark keeps the plan it began with.</p>
      </div>
    );
  }
  return (
    <div className="action">
      {task.phase === 'failed' && <FailureNote title="The benchmark failed" failure={task.failure} />}
      <button
        type="button"
        className={done ? 'button full' : 'button primary full'}
        onClick={() => void benchmarkDraft()}
      >
        Benchmark {what}
        {done && ' again'}
      </button>
      {done ? (
        <p className="hint">
          Measured. <a href="#comparison">See it beside the others</a>
        </p>
      ) : (
        <p className="hint">Latency, tokens per second and perplexity with ONNX Runtime Web, in this tab.</p>
      )}
    </div>
  );
}
