/** @file The page's one primary action: measure the edited plan with the runtime that would be deployed. */

import { commands } from '../../lab/page/app';
import type { PruningPlan } from '../../pruning/plan';
import { FailureNote } from '../parts/failureNote';
import { isWhole } from '../parts/names';
import { ProgressBar } from '../parts/progressBar';
import { useLab, useTask } from '../parts/useLab';
import { shownRow } from './current';

/** Offered where the GPU multiplies in f16; its numbers are shown only where they agree with exact ones on real text. */
function PrecisionChoice() {
  const offered = useLab((state) => state.device?.features.includes('shader-f16') ?? false);
  const precision = useLab((state) => state.precision);
  if (!offered) return null;
  return (
    <label className="hint">
      <input
        type="checkbox"
        checked={precision === 'f16'}
        onChange={({ target }) => commands.choosePrecision(target.checked ? 'f16' : 'exact')}
      />{' '}
      Compute in f16, if that agrees with exact arithmetic on the calibration text
    </label>
  );
}

export function BenchmarkAction({ plan }: { plan: PruningPlan }) {
  const task = useTask('benchmark');
  const done = useLab((state) => (shownRow(state)?.latency.length ?? 0) > 0);
  const ownWeights = useLab((state) => state.ownWeights);
  const what = isWhole(plan) && ownWeights === null ? 'the whole model' : 'this variant';
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
        onClick={() => void commands.benchmarkDraft()}
      >
        Benchmark {what}
        {done && ' again'}
      </button>
      <PrecisionChoice />
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
