/** @file What the plan being edited does, right now: the number that follows every click, and the next step. */

import { commands } from '../../lab/page/app';
import type { ModelInfo } from '../../report/facts';
import type { PerplexityResult } from '../../report/results';
import { corpusTitle, provenance } from '../corpora/describe';
import { FailureNote } from '../parts/failureNote';
import { integer, milliseconds, perplexity, perplexityChange, significant } from '../parts/format';
import { planText, producedBy } from '../parts/names';
import { runningText, SlimProgress } from '../parts/slimProgress';
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
  const corpora = useLab((state) => state.corpora);
  const { current, whole } = useCurrent();
  return (
    <aside className="card now" aria-labelledby="now-title">
      <h2 id="now-title">Now</h2>
      <p className="sub">{plan ? planText(plan) : 'no model yet'}</p>
      <LiveNumber current={current} whole={whole} model={model} />
      <Announcement current={current} />
      {noGpu && model && (
        <p className="hint">The live perplexity needs WebGPU; the benchmark below measures it on the CPU.</p>
      )}
      {model && plan && <NowFacts model={model} plan={plan} />}
      {model && plan && <BenchmarkAction plan={plan} />}
      {current && (
        <p className="foot" title={provenance(current.result.text)}>
          Perplexity: {producedBy(current.result.device)}, {integer(current.result.tokens)} held-out tokens of{' '}
          {corpusTitle(current.result.text.corpus, corpora)}, {milliseconds(current.result.milliseconds)}.{' '}
          {current.result.device.software && <SoftwareBadge />}
        </p>
      )}
    </aside>
  );
}

interface LiveProps {
  current: Current | null;
  whole: PerplexityResult | null;
  model: ModelInfo | null;
}

/** The perplexity in large; measuring a new one greys it and fills a line below, and moves nothing. */
function LiveNumber({ current, whole, model }: LiveProps) {
  const task = useTask('live');
  // The floor is known of the text that the page brings, and of no other.
  const floor = current?.result.text.corpus === 'evaluation' ? model?.card?.floorPerplexity : undefined;
  const measuring = task.phase === 'running';
  const fresh = current?.fresh === true && !measuring;
  return (
    <div className="live">
      <div className="big-row">
        <div className={fresh ? 'big' : 'big stale'}>{current ? perplexity(current.result.perplexity) : '–'}</div>
        {measuring && (
          <button
            type="button"
            className="button small late"
            aria-label="Cancel measuring"
            onClick={() => commands.cancelTask('live')}
          >
            Cancel
          </button>
        )}
      </div>
      <SlimProgress label="Measuring the perplexity" task={task} />
      <div className="was">
        {measuring ? (
          <p>{runningText('Measuring…', task)}</p>
        ) : (
          <p>
            perplexity
            {fresh && whole && whole.text.hash === current.result.text.hash && (
              <Change now={current.result.perplexity} base={whole.perplexity} />
            )}
            {current && !current.fresh && ' of an earlier plan'}
          </p>
        )}
        {fresh && current.result.perplexity === Number.POSITIVE_INFINITY && (
          <p>
            mean loss {significant(current.result.meanNll)} nats a token: its exponential is beyond the largest number
          </p>
        )}
        {floor !== undefined && (
          <p title="No model can do better on this text: it is the text’s own entropy.">
            best possible on this text: {perplexity(floor)}
          </p>
        )}
      </div>
      {task.phase === 'failed' && <FailureNote title="The perplexity could not be measured" failure={task.failure} />}
    </div>
  );
}

function Change({ now, base }: { now: number; base: number }) {
  if (now === base) return null;
  return (
    <>
      {' '}
      ·{' '}
      <span className={now > base ? 'worse' : 'better'}>
        {now > base ? '▲' : '▼'} {perplexityChange(now, base)}
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
