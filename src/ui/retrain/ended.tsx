/** @file The trainings that ended, of this and of earlier visits, one at a time: what it was, what it won back, and its curves. */
import { type ReactNode, useMemo, useState } from 'react';
import { commands } from '../../lab/page/app';
import { shownVariant } from '../../lab/page/shownVariant';
import { type EndedTraining, endedTrainings } from '../../lab/page/training';
import { referencesOf } from '../charts/training/references';
import { TrainingFigure } from '../charts/training/trainingFigure';
import { perplexity, plural } from '../parts/format';
import { useLab } from '../parts/useLab';
import { madeWords } from './madeWords';
import { shortMethod } from './methods';
import { recovered, recoveredText } from './words';

/** The latest one, until the user chooses another; another one that ends is shown at once. */
export function EndedTrainings() {
  const trained = useLab((state) => state.trained);
  const comparison = useLab((state) => state.comparison);
  const ended = useMemo(() => endedTrainings(trained, comparison), [trained, comparison]);
  const latest = ended.at(-1)?.variant;
  const [choice, setChoice] = useState<{ readonly variant: string; readonly latest: string | undefined } | null>(null);
  const chosen = choice?.latest === latest ? ended.find(({ variant }) => variant === choice?.variant) : undefined;
  const training = chosen ?? ended.at(-1);
  if (!training) return null;
  return (
    <Ended training={training}>
      {ended.length > 1 && (
        <select
          className="field"
          aria-label="Training to show"
          value={training.variant}
          onChange={({ target }) => setChoice({ variant: target.value, latest })}
        >
          {ended.toReversed().map(({ variant, name, request }) => (
            <option key={variant} value={variant}>
              {`${name} · ${shortMethod[request.method]}, ${plural(request.steps, 'step')}`}
            </option>
          ))}
        </select>
      )}
    </Ended>
  );
}

function Ended({ training, children }: { training: EndedTraining; children: ReactNode }) {
  const { variant, name, evaluations, request } = training;
  const made = useLab((state) => state.variants.find(({ id }) => id === variant));
  const shown = useLab(shownVariant) === variant;
  const corpora = useLab((state) => state.corpora);
  const base = useLab((state) => referencesOf(request, state)?.perplexity ?? null);
  const [first, last] = [evaluations[0], evaluations.at(-1)];
  const step = made?.recipe.at(-1);
  const share = first && last && base !== null ? recovered(first.perplexity, last.perplexity, base) : null;
  const run = useMemo(() => ({ ...training, steps: request.steps }), [training, request.steps]);
  return (
    <section className="retrain-run" aria-labelledby="retrain-run-title">
      <div className="bar retrain-ended">
        <h3 id="retrain-run-title">{name}</h3>
        <span className="spring" />
        {children}
      </div>
      {first && last && (
        <p role="status">
          Held-out perplexity <b>{perplexity(first.perplexity)}</b> before the training,{' '}
          <b>{perplexity(last.perplexity)}</b> after it
          {base !== null && <>; the original model has {perplexity(base)}</>}
          {share !== null && (
            <>
              {' '}
              · <span className={share < 0 ? 'worse' : 'better'}>{recoveredText(share)}</span>
            </>
          )}
        </p>
      )}
      {step?.kind === 'retrain' && <p className="hint">{madeWords(step, corpora)}</p>}
      {made && !shown && (
        <div className="retrain-actions">
          <button type="button" className="button small" onClick={() => commands.showVariant(variant)}>
            Show in the plan
          </button>
        </div>
      )}
      <TrainingFigure run={run} name={name} thinned={training.earlier === true} />
    </section>
  );
}
