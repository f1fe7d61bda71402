/** @file What the whole model writes and what the cut one writes, for the same words. */

import { type FormEvent, useMemo, useState } from 'react';
import { commands } from '../../lab/page/app';
import { sameSelection } from '../../lab/page/selection';
import type { WrittenText } from '../../lab/page/store';
import { FailureNote } from '../parts/failureNote';
import { isWhole, planText, producedBy } from '../parts/names';
import { SlimProgress } from '../parts/slimProgress';
import { useLab, useTask } from '../parts/useLab';
import { afterPrompt, diffWords, type Piece } from './diff';

export function TextsStage() {
  const model = useLab((state) => state.model);
  const plan = useLab((state) => state.plan);
  const texts = useLab((state) => state.texts);
  const task = useTask('generate');
  const [typed, setTyped] = useState<string | null>(null);
  const prompt = typed ?? texts.prompt;
  const base = texts.base && afterPrompt(texts.prompt, texts.base.text);
  const variant = texts.variant && afterPrompt(texts.prompt, texts.variant.text);
  const ownWeights = useLab((state) => state.ownWeights);
  const name = useLab(({ variants }) => variants.find(({ id }) => id === ownWeights)?.name);
  const whole = !plan || (isWhole(plan) && ownWeights === null);
  const stale =
    plan !== null && texts.variant !== null && !sameSelection(texts.variant.selection, { plan, ownWeights });
  const pieces = useMemo(() => (base !== null && variant !== null ? diffWords(base, variant) : null), [base, variant]);
  const running = task.phase === 'running';

  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (prompt !== '') void commands.write(prompt);
  };

  return (
    <section className="card texts" aria-labelledby="texts-title">
      <div className="bar">
        <h2 id="texts-title">What it writes</h2>
      </div>
      {model && !model.tokenizer ? (
        <p className="quiet-line">This checkpoint came without a tokenizer.json: it can be measured, but not write.</p>
      ) : (
        <>
          <form className="prompt" onSubmit={submit}>
            <label htmlFor="prompt">Prompt</label>
            <input
              id="prompt"
              type="text"
              className="field"
              autoComplete="off"
              value={prompt}
              disabled={!model}
              onChange={(event) => setTyped(event.target.value)}
            />
            {running ? (
              <button type="button" className="button" onClick={() => commands.cancelTask('generate')}>
                Cancel
              </button>
            ) : (
              <button type="submit" className="button" disabled={!model || prompt === ''}>
                Write
              </button>
            )}
          </form>
          <SlimProgress label="Writing" task={task} />
          {task.phase === 'failed' && <FailureNote title="The text could not be written" failure={task.failure} />}
          <div className="says">
            <Says
              title="Whole model"
              prompt={texts.prompt}
              pieces={base === null ? null : [{ text: base, differs: false }]}
              by={writtenBy(texts.base, running)}
            />
            {!whole && (
              <Says
                title={stale ? 'An earlier cut' : capital(name ?? planText(plan))}
                prompt={texts.prompt}
                pieces={pieces?.variant ?? null}
                by={writtenBy(texts.variant, running)}
                stale={stale}
              />
            )}
          </div>
          {!whole && pieces && (
            <p className="foot">
              <mark>Marked</mark> words differ from the whole model’s. Both take the likeliest token each time.
            </p>
          )}
        </>
      )}
    </section>
  );
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Who wrote a text, or how far it came. */
function writtenBy(written: WrittenText | null, running: boolean): string {
  if (written === null) return '';
  if (written.by !== null) return `Written by ${producedBy(written.by)}.`;
  return running ? 'Writing…' : 'Stopped before its end.';
}

interface SaysProps {
  title: string;
  prompt: string;
  pieces: Piece[] | null;
  by: string;
  stale?: boolean;
}

function Says({ title, prompt, pieces, by, stale = false }: SaysProps) {
  return (
    <div className={stale ? 'say stale' : 'say'}>
      <h3>{title}</h3>
      {pieces === null ? (
        <p className="hint">Not written yet.</p>
      ) : (
        <p>
          <span className="prompt-echo">{prompt}</span>
          {pieces.map((piece, index) => {
            // biome-ignore lint/suspicious/noArrayIndexKey: pieces have no identity but their place
            return piece.differs ? <mark key={index}>{piece.text}</mark> : <span key={index}>{piece.text}</span>;
          })}
        </p>
      )}
      {by !== '' && <p className="hint by">{by}</p>}
    </div>
  );
}
