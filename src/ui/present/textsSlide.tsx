/** @file The slide with the texts that the original model and the variant wrote. */
import { useMemo } from 'react';
import { planText, producedBy } from '../parts/names';
import { useLab } from '../parts/useLab';
import { afterPrompt, diffWords } from '../texts/diff';
import { SlideFrame } from './frame';

export function TextsSlide() {
  const model = useLab((state) => state.model);
  const { prompt, base, variant } = useLab((state) => state.texts);
  const pieces = useMemo(
    () => (base && variant ? diffWords(afterPrompt(prompt, base.text), afterPrompt(prompt, variant.text)) : null),
    [prompt, base, variant],
  );
  if (!base || !variant || !pieces) return null;
  const { by } = variant;
  return (
    <SlideFrame
      title="What they write"
      note={
        <>
          <mark>Marked</mark> words differ. Both always choose the most likely token{by && `; ${producedBy(by)}`}.
        </>
      }
    >
      <div className="slide-texts">
        <div>
          <h3>Original model</h3>
          <p>
            <b>{prompt}</b>
            {afterPrompt(prompt, base.text)}
          </p>
        </div>
        <div>
          <h3>{capital(planText(variant.selection.plan, model?.shape ?? null))}</h3>
          <p>
            <b>{prompt}</b>
            {pieces.variant.map((piece, index) =>
              // biome-ignore lint/suspicious/noArrayIndexKey: pieces have no identity but their place
              piece.differs ? <mark key={index}>{piece.text}</mark> : <span key={index}>{piece.text}</span>,
            )}
          </p>
        </div>
      </div>
    </SlideFrame>
  );
}

const capital = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
