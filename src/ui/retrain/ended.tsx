/** @file The training that ended last: what it was, what it won back, and its curves. */
import { commands } from '../../lab/page/app';
import { shownVariant } from '../../lab/page/shownVariant';
import type { EndedTraining } from '../../lab/page/training';
import { referencesOf } from '../charts/training/references';
import { TrainingFigure } from '../charts/training/trainingFigure';
import { perplexity } from '../parts/format';
import { useLab } from '../parts/useLab';
import { madeWords } from './madeWords';
import { recovered, recoveredText } from './words';

export function Ended({ training }: { training: EndedTraining }) {
  const { variant, name, evaluations, request } = training;
  const made = useLab((state) => state.variants.find(({ id }) => id === variant));
  const shown = useLab(shownVariant) === variant;
  const corpora = useLab((state) => state.corpora);
  const base = useLab((state) => referencesOf(request, state)?.perplexity ?? null);
  const [first, last] = [evaluations[0], evaluations.at(-1)];
  const step = made?.recipe.at(-1);
  const share = first && last && base !== null ? recovered(first.perplexity, last.perplexity, base) : null;
  return (
    <section className="retrain-run" aria-labelledby="retrain-run-title">
      <h3 id="retrain-run-title">{name}</h3>
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
      <TrainingFigure run={{ ...training, steps: request.steps }} name={name} />
    </section>
  );
}
