/** @file The search for the best variant under a budget: its form, its progress and its result. */
import { commands } from '../../lab/page/app';
import { FailureNote } from '../parts/failureNote';
import { integer, milliseconds, perplexity } from '../parts/format';
import { ProgressBar } from '../parts/progressBar';
import { useLab, useTask } from '../parts/useLab';
import { BestForm } from './bestForm';
import { BestResult } from './bestResult';

export function BestStage() {
  const model = useLab((state) => state.model);
  const ready = useLab((state) => state.ready);
  const noGpu = useLab((state) => state.ready && state.device === null);
  const best = useLab((state) => state.best);
  const task = useTask('best');
  const running = task.phase === 'running';
  const shown = model && best?.variant.plan.model === model.id ? best : null;
  return (
    <section className="card best" id="best" aria-labelledby="best-title" tabIndex={-1}>
      <h2 id="best-title">Best under a budget</h2>
      <p className="sub">
        Searches the variant with the lowest perplexity that keeps a budget on this device. First it measures how long
        each part of a block takes per token. Then it searches blocks, sub-blocks and widths, greedily and by evolution,
        and benchmarks the best variant.
      </p>
      {noGpu && <p className="hint">The search measures losses with the WGSL engine, which needs WebGPU.</p>}
      {running && <ProgressBar label="Searching the best variant" progress={task.progress} taskKey="best" />}
      {running && <SoFar />}
      {task.phase === 'failed' && <FailureNote title="The search found no variant" failure={task.failure} />}
      {model && <BestForm key={model.id} model={model} disabled={running || noGpu || !ready} />}
      {shown && <BestResult result={shown} onShow={() => commands.showVariant(shown.variant.id)} />}
    </section>
  );
}

/** The best variant of a search that runs. */
function SoFar() {
  const task = useTask('best');
  const found = task.phase === 'running' ? task.progress?.budget : undefined;
  if (!found) return null;
  return (
    <p className="hint" role="status">
      Best so far: perplexity <b>{perplexity(found.perplexity)}</b> on the calibration text at a predicted{' '}
      {milliseconds(found.msPerToken)} per token, after {integer(found.generation)} generations and{' '}
      {integer(found.evaluations)} variants.
    </p>
  );
}
