/** @file What the plan being edited does, right now: the number that follows every click, and the next step. */

import { FailureNote } from '../parts/failureNote';
import { delta, integer, milliseconds, perplexity } from '../parts/format';
import { planText, producedBy } from '../parts/names';
import { ProgressBar } from '../parts/progressBar';
import { SoftwareBadge } from '../parts/softwareBadge';
import { useLab, useTask } from '../parts/useLab';
import { BenchmarkAction } from './benchmarkAction';
import type { Current } from './current';
import { NowFacts } from './nowFacts';
import { useCurrent } from './useCurrent';

export function NowPanel() {
  const model = useLab((state) => state.model);
  const plan = useLab((state) => state.plan);
  const noGpu = useLab((state) => state.ready && state.device === null);
  const live = useTask('live');
  const { current, whole } = useCurrent();
  const floor = model?.card?.floorPerplexity;
  const measuring = live.phase === 'running';
  return (
    <aside className="card now" aria-labelledby="now-title">
      <h2 id="now-title">Now</h2>
      <p className="sub">{plan ? planText(plan) : 'no model yet'}</p>
      <div className={current?.fresh && !measuring ? 'big' : 'big stale'}>
        {current ? perplexity(current.result.perplexity) : '–'}
      </div>
      <p className="was">
        perplexity
        {current?.fresh && whole && <Change now={current.result.perplexity} base={whole.perplexity} />}
        {!current?.fresh && current && ' · of the plan before'}
        {floor !== undefined && (
          <>
            {' '}
            ·{' '}
            <span title="No model can do better on this text: it is the text’s own entropy.">
              best possible {perplexity(floor)}
            </span>
          </>
        )}
      </p>
      <Announcement current={current} />
      <div className="now-task">
        {measuring && <ProgressBar label="Measuring…" progress={live.progress} taskKey="live" />}
        {live.phase === 'failed' && <FailureNote title="The perplexity could not be measured" failure={live.failure} />}
        {noGpu && model && (
          <p className="hint">The live perplexity needs WebGPU; the benchmark below measures it on the CPU.</p>
        )}
      </div>
      {model && plan && <NowFacts model={model} plan={plan} />}
      {model && plan && <BenchmarkAction plan={plan} />}
      {current && (
        <p className="foot">
          Perplexity: {producedBy(current.result.device)}, {integer(current.result.tokens)} held-out tokens,{' '}
          {milliseconds(current.result.milliseconds)}. {current.result.device.software && <SoftwareBadge />}
        </p>
      )}
    </aside>
  );
}

function Change({ now, base }: { now: number; base: number }) {
  if (now === base) return null;
  return (
    <>
      {' '}
      ·{' '}
      <span className={now > base ? 'worse' : 'better'}>
        {now > base ? '▲' : '▼'} {delta(now - base)}
      </span>{' '}
      from {perplexity(base)}
    </>
  );
}

/** Speaks a new perplexity once it is there; silent while it is being measured. */
function Announcement({ current }: { current: Current | null }) {
  const plan = useLab((state) => state.plan);
  const says = current?.fresh && plan ? `Perplexity ${perplexity(current.result.perplexity)}, ${planText(plan)}.` : '';
  return (
    <p className="sr-only" aria-live="polite">
      {says}
    </p>
  );
}
