/** @file What is trained, how, on which text and for how long. */
import { useEffect, useMemo, useState } from 'react';
import { commands } from '../../lab/page/app';
import type { ModelInfo } from '../../report/facts';
import { FailureNote } from '../parts/failureNote';
import { integer, significant } from '../parts/format';
import { NumberField } from '../parts/numberField';
import { RealField } from '../parts/realField';
import { SoftwareBadge } from '../parts/softwareBadge';
import { useLab, useTask } from '../parts/useLab';
import { Advanced } from './advanced';
import {
  defaultsOf,
  type RetrainForm as Form,
  firstForm,
  formFault,
  requestOf,
  type Settings,
  type Speed,
  secondsOf,
  settingsOf,
  speedOf,
} from './form';
import { MemoryLine } from './memoryLine';
import { MethodChoice } from './methodChoice';
import { TextPart } from './textPart';
import { VariantChoice } from './variantChoice';
import { duration } from './words';

/** The memory is asked for when the form has rested for so long, ms. */
const restMs = 400;

export function RetrainForm({ model, disabled }: { model: ModelInfo; disabled: boolean }) {
  const [form, setForm] = useState<Form>(firstForm);
  const change = (part: Partial<Form>): void => setForm((before) => ({ ...before, ...part }));
  const edit = (part: Partial<Settings>): void =>
    setForm(({ edited, ...rest }) => ({ ...rest, edited: { ...edited, ...part } }));
  const comparison = useLab((state) => state.comparison);
  const base = useLab((state) => state.base);
  const live = useLab((state) => state.live);
  const starting = useTask('retrain').phase === 'running';
  const { method } = form;
  const speed = useMemo(() => speedOf(method, comparison, [base, live?.result]), [method, comparison, base, live]);
  const settings = useMemo(() => {
    const { hidden, maxPositions } = model.shape;
    return settingsOf(defaultsOf({ method, hidden, context: maxPositions, speed }), form.edited);
  }, [method, model, speed, form.edited]);
  const fault = formFault(form, settings);
  const request = useMemo(() => requestOf(form, settings), [form, settings]);
  const first = form.variants[0];
  // The plan that the page shows may have changed.
  const plan = useLab((state) => state.plan);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the plan stands for the variant that the page shows
  useEffect(() => {
    if (fault !== null || first === undefined || disabled) return;
    const timer = setTimeout(() => void commands.askTrainingMemory(first, request), restMs);
    return () => clearTimeout(timer);
  }, [request, first, plan, fault, disabled]);
  return (
    <form
      className="retrain-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (fault === null && !disabled) void commands.train(form.variants, request);
      }}
    >
      <VariantChoice chosen={form.variants} onChange={(variants) => change({ variants })} />
      <MethodChoice method={method} onChange={(chosen) => change({ method: chosen, edited: {} })} />
      <TextPart model={model} text={form.text} onChange={(text) => change({ text })} />
      <div className="retrain-line">
        <span className="retrain-legend">Length</span>
        <div className="retrain-fields">
          <NumberField
            label="steps"
            name="Training steps"
            value={settings.steps}
            least={1}
            most={1e6}
            onChange={(steps) => edit({ steps })}
          />
          <NumberField
            label="rows a step"
            name="Rows of a training step"
            value={settings.batch}
            least={1}
            most={512}
            onChange={(batch) => edit({ batch })}
          />
          <RealField
            label="learning rate"
            name="Learning rate"
            value={settings.learningRate}
            least={1e-8}
            most={1}
            onChange={(learningRate) => edit({ learningRate })}
          />
          <Expected settings={settings} speed={speed} runs={form.variants.length} />
        </div>
      </div>
      <Advanced method={method} settings={settings} context={model.shape.maxPositions} onChange={edit} />
      <div className="retrain-start">
        <button type="submit" className="button primary" disabled={fault !== null || disabled || starting}>
          {form.variants.length > 1 ? `Train ${form.variants.length} variants` : 'Train'}
        </button>
        {fault === null ? (
          <MemoryLine />
        ) : (
          <span className="hint" role="status">
            {fault}
          </span>
        )}
      </div>
      <Failures />
    </form>
  );
}

interface ExpectedProps {
  settings: Settings;
  speed: Speed | null;
  /** Trainings of the form. */
  runs: number;
}

/** How long the training would take here. */
function Expected({ settings, speed, runs }: ExpectedProps) {
  const software = useLab((state) => state.device?.software === true);
  const tokens = settings.steps * settings.batch * (settings.seqLen - 1);
  if (!speed) return <span className="hint">{integer(tokens)} tokens</span>;
  const each = runs > 1 ? ' each' : '';
  const how = speed.measured ? 'as the last training ran here' : 'estimated from the time of a perplexity';
  return (
    <span className="hint" title={how}>
      {integer(tokens)} tokens: about {duration(secondsOf(settings, speed))}
      {each} at {significant(speed.tokensPerSecond)} tokens/s {software && <SoftwareBadge />}
    </span>
  );
}

/** Why trainings could not start, or ended. Those that the queue still lists say it there. */
function Failures() {
  const tasks = useLab((state) => state.tasks);
  const trainings = useLab((state) => state.trainings);
  const listed = new Set(trainings.map(({ failure }) => failure?.message));
  const failed = Object.entries(tasks).flatMap(([key, task]) => {
    const isOurs = key === 'retrain' || key.startsWith('training:');
    return isOurs && task?.phase === 'failed' && !listed.has(task.failure.message)
      ? [{ key, failure: task.failure }]
      : [];
  });
  const last = failed.at(-1);
  return last ? <FailureNote title="The training failed" failure={last.failure} /> : null;
}
