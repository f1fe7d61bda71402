/** @file Asks what to open when the last visit ended while a model was opening. */

import type { ReactNode } from 'react';
import { commands } from '../../lab/page/app';
import type { EndedOpening } from '../../lab/page/store';
import { ConfirmButton } from '../parts/confirmButton';
import { bytes } from '../parts/format';
import { useLab } from '../parts/useLab';
import { shortSource } from './facts';
import { howItEnded } from './openingWords';

export function OpeningCard() {
  const ended = useLab((state) => state.endedOpenings);
  const ready = useLab((state) => state.ready);
  if (!ready || ended.length === 0) return null;
  const demo = !ended.every(({ source }) => source === 'demo') && (
    <button type="button" className="button" onClick={() => void commands.openDemoInstead()}>
      Open the demo
    </button>
  );
  const [only, ...others] = ended;
  return (
    <section className="ask" aria-label="The last visit ended while a model was opening">
      {ended.map((opening) => (
        <Ended key={opening.key} opening={opening}>
          {opening === only && others.length === 0 && demo}
        </Ended>
      ))}
      {others.length > 0 && demo && <div className="source-actions">{demo}</div>}
      <p className="hint">
        The page opens nothing until you choose. Forgetting a model deletes its files from this browser.
      </p>
    </section>
  );
}

function Ended({ opening, children }: { opening: EndedOpening; children: ReactNode }) {
  const stored = useLab((state) => state.stored);
  const unfinished = useLab((state) => state.unfinished);
  const name = opening.source === 'demo' ? 'the demo' : shortSource(opening.source);
  const held = commands.openingBytes(opening, { stored, unfinished });
  const { title, cause } = howItEnded(opening, name);
  return (
    <div className="ask-one">
      <h3 title={opening.source}>{title}</h3>
      <p>{cause}</p>
      <div className="source-actions">
        <button type="button" className="button primary" onClick={() => void commands.openAgain(opening)}>
          Open again
        </button>
        {children}
        {held > 0 ? (
          <ConfirmButton
            label="Forget it"
            description={`Forget ${name}`}
            confirm={`Free ${bytes(held)}`}
            onConfirm={() => void commands.forgetEnded(opening)}
          />
        ) : (
          <button type="button" className="button" onClick={() => void commands.forgetEnded(opening)}>
            Forget it
          </button>
        )}
      </div>
    </div>
  );
}
