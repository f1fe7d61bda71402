/** @file The edited plan: its live perplexity, its figures and the benchmark button. */

import { commands } from '../../lab/page/app';
import type { ModelInfo } from '../../report/facts';
import type { PerplexityResult } from '../../report/results';
import { corpusTitle, provenance } from '../corpora/describe';
import { FailureNote } from '../parts/failureNote';
import { integer, milliseconds, perplexity, perplexityChange, significant } from '../parts/format';
import { isWhole, ownWeightsText, planText, producedBy } from '../parts/names';
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
  const own = useLab(({ variants, ownWeights }) => variants.find(({ id }) => id === ownWeights));
  const { current, whole } = useCurrent();
  return (
    <aside className="card now" aria-labelledby="now-title">
      <h2 id="now-title">Now</h2>
      <p className="sub">
        {own && <b>{own.name}: </b>}
        {plan ? (own && isWhole(plan) ? 'nothing removed' : planText(plan, model?.shape)) : 'no model yet'}
      </p>
      {own && (
        <p className="hint">
          This variant has {ownWeightsText(own)}. If you edit the plan, the page continues with the weights of the
          original model.
        </p>
      )}
      <LiveNumber current={current} whole={whole} model={model} />
      <Announcement current={current} name={own?.name} />
      {noGpu && model && (
        <p className="hint">
          The live perplexity needs WebGPU. The benchmark below measures the perplexity on the CPU.
        </p>
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

/**
 * The perplexity in large digits. During a new measurement it turns grey and a progress line fills below; the layout
 * does not shift.
 */
function LiveNumber({ current, whole, model }: LiveProps) {
  const task = useTask('live');
  // The best possible perplexity is known for the built-in text only.
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
            mean loss {significant(current.result.meanNll)} nats per token: the perplexity is too large for a number
          </p>
        )}
        {floor !== undefined && (
          <p title="No model can do better on this text: this is the entropy of the text itself.">
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

/** Announces each new perplexity to screen readers. */
function Announcement({ current, name }: { current: Current | null; name: string | undefined }) {
  const plan = useLab((state) => state.plan);
  const shape = useLab((state) => state.model?.shape);
  const says =
    current?.fresh && plan
      ? `Perplexity ${perplexity(current.result.perplexity)}, ${name ?? planText(plan, shape)}.`
      : '';
  return (
    <p className="sr-only" aria-live="polite">
      {says}
    </p>
  );
}
