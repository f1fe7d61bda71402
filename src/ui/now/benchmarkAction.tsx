/** @file The page's primary action: benchmark the edited plan with ONNX Runtime, as it would be deployed. */

import { commands } from '../../lab/page/app';
import type { PruningPlan } from '../../pruning/plan';
import { FailureNote } from '../parts/failureNote';
import { isWhole } from '../parts/names';
import { ProgressBar } from '../parts/progressBar';
import { useLab, useTask } from '../parts/useLab';
import { shownRow } from './current';

/** Offered if the GPU computes in f16. Its numbers are shown only if they agree with float32 on real text. */
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
      Compute in f16 (numbers are shown only if they agree with float32 on the calibration text)
    </label>
  );
}

export function BenchmarkAction({ plan }: { plan: PruningPlan }) {
  const task = useTask('benchmark');
  const done = useLab((state) => (shownRow(state)?.latency.length ?? 0) > 0);
  const ownWeights = useLab((state) => state.ownWeights);
  const what = isWhole(plan) && ownWeights === null ? 'the original model' : 'this variant';
  if (task.phase === 'running') {
    return (
      <div className="action">
        <ProgressBar label="Benchmarking" progress={task.progress} taskKey="benchmark" />
        <p className="hint">You can keep cutting: the benchmark uses the plan from when you started it.</p>
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
          Measured. <a href="#comparison">Compare it with the others</a>
        </p>
      ) : (
        <p className="hint">Latency, tokens per second and perplexity with ONNX Runtime Web, in this tab.</p>
      )}
    </div>
  );
}
