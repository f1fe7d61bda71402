/** @file Choice of a text for calibration or evaluation, with the options of its protocol. */

import { type FormEvent, type ReactNode, useState } from 'react';
import type { CorpusInfo } from '../../lab/contract/types';
import { commands } from '../../lab/page/app';
import type { CalibrationChoice, EvaluationChoice } from '../../lab/page/store';
import { bytes, integer, plural } from '../parts/format';
import { NumberField } from '../parts/numberField';
import { useLab, useTask } from '../parts/useLab';
import { evaluationLine } from './describe';

const mostSamples = 100_000;

export function CalibrationText() {
  const used = useLab((state) => state.calibrationChoice);
  const [choice, setChoice] = useState<CalibrationChoice>(used);
  const choose = (change: CalibrationChoice): void => setChoice((before) => ({ ...before, ...change }));
  const context = useLab((state) => state.model?.shape.maxPositions ?? 128);
  return (
    <ChooseText
      use="calibration"
      title="Calibration text"
      hint="The criteria measure on this text."
      corpus={choice.corpus}
      onCorpus={(corpus) => setChoice(withCorpus(choice, corpus))}
      action="Calibrate"
      running={useTask('text:calibration').phase === 'running'}
      onSubmit={() => void commands.chooseCalibration(choice)}
    >
      <NumberField
        label="sequences"
        name="Calibration sequences"
        value={choice.samples ?? 10}
        least={1}
        most={mostSamples}
        onChange={(samples) => choose({ samples })}
      />
      <NumberField
        label="tokens each"
        name="Tokens of a calibration sequence"
        value={choice.seqLen ?? Math.min(128, context)}
        least={2}
        most={context}
        onChange={(seqLen) => choose({ seqLen })}
      />
      <NumberField
        label="seed"
        name="Seed of the calibration"
        value={choice.seed ?? 1234}
        least={0}
        most={2 ** 31}
        onChange={(seed) => choose({ seed })}
      />
      {choice.corpus !== undefined && (
        <StartTokens checked={choice.addBosToEvery ?? false} onChange={(addBosToEvery) => choose({ addBosToEvery })} />
      )}
    </ChooseText>
  );
}

export function EvaluationText() {
  const used = useLab((state) => state.evaluationChoice);
  const measured = useLab((state) => state.base?.text);
  const corpora = useLab((state) => state.corpora);
  const [choice, setChoice] = useState<EvaluationChoice>(used);
  const choose = (change: EvaluationChoice): void => setChoice((before) => ({ ...before, ...change }));
  const context = useLab((state) => state.model?.shape.maxPositions ?? 128);
  const same = measured !== undefined && (choice.corpus ?? 'evaluation') === measured.corpus;
  const all = same ? (measured.origin?.available ?? null) : null;
  return (
    <ChooseText
      use="evaluation"
      title="Evaluation text"
      hint="Perplexity is measured on this held-out text, the same for all variants."
      corpus={choice.corpus}
      onCorpus={(corpus) => setChoice(withCorpus(choice, corpus))}
      action="Measure"
      running={useTask('text:evaluation').phase === 'running'}
      onSubmit={() => void commands.chooseEvaluation(choice)}
    >
      <NumberField
        label="sequences"
        name="Evaluation sequences"
        value={choice.samples ?? measured?.sequences ?? 16}
        least={1}
        most={mostSamples}
        onChange={(samples) => choose({ samples })}
      />
      <NumberField
        label="tokens each"
        name="Tokens of an evaluation sequence"
        value={choice.seqLen ?? Math.min(128, context)}
        least={2}
        most={context}
        onChange={(seqLen) => choose({ seqLen })}
      />
      {choice.corpus !== undefined && (
        <StartTokens checked={choice.addBosToEvery ?? false} onChange={(addBosToEvery) => choose({ addBosToEvery })} />
      )}
      {all !== null && measured && all > measured.sequences && (
        <button type="button" className="button small" onClick={() => choose({ samples: all })}>
          All {integer(all)} sequences
        </button>
      )}
      {same && <p className="hint">Now: {evaluationLine(measured, corpora)}.</p>}
    </ChooseText>
  );
}

/** Changes the text of a choice; keeps the number and length of its sequences. */
function withCorpus<T extends CalibrationChoice | EvaluationChoice>(choice: T, corpus: string | undefined): T {
  const { corpus: _before, addBosToEvery, ...rest } = choice;
  if (corpus === undefined) return rest as T;
  return { ...rest, corpus, ...(addBosToEvery === undefined ? {} : { addBosToEvery }) } as T;
}

function StartTokens({ checked, onChange }: { checked: boolean; onChange: (checked: boolean) => void }) {
  return (
    <label className="check" title="Gemma needs this. Has no effect if the model’s tokenizer adds no start token.">
      <input type="checkbox" checked={checked} onChange={(event) => onChange(event.target.checked)} />
      start token before every sequence
    </label>
  );
}

interface Props {
  use: 'calibration' | 'evaluation';
  title: string;
  hint: string;
  /** Undefined means the built-in text. */
  corpus: string | undefined;
  onCorpus: (corpus: string | undefined) => void;
  action: string;
  running: boolean;
  onSubmit: () => void;
  children: ReactNode;
}

function ChooseText({ use, title, hint, corpus, onCorpus, action, running, onSubmit, children }: Props) {
  const corpora = useLab((state) => state.corpora).filter(({ uses }) => uses.includes(use));
  const chosen = corpora.find(({ name }) => name === (corpus ?? use));
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    onSubmit();
  };
  const groups: readonly { label: string; of: readonly CorpusInfo[] }[] = [
    { label: 'Built in', of: corpora.filter(({ kind }) => kind === 'built-in') },
    { label: 'Yours', of: corpora.filter(({ kind }) => kind === 'file' || kind === 'text') },
    { label: 'From the Hugging Face Hub', of: corpora.filter(({ kind }) => kind === 'hub') },
  ];
  return (
    <form className="source" aria-label={title} onSubmit={submit}>
      <h3>{title}</h3>
      <div className="corpus-choice">
        <select
          className="field"
          aria-label={`Text ${title.toLowerCase()}`}
          value={corpus ?? use}
          onChange={({ target }) => onCorpus(target.value === use ? undefined : target.value)}
        >
          {groups
            .filter(({ of }) => of.length > 0)
            .map(({ label, of }) => (
              <optgroup key={label} label={label}>
                {of.map(({ name, title: called }) => (
                  <option key={name} value={name}>
                    {called}
                  </option>
                ))}
              </optgroup>
            ))}
        </select>
        <p className="hint">{chosen ? `${chosen.why ?? hint} ${sizeOf(chosen)}` : hint}</p>
        <div className="corpus-fields">{children}</div>
      </div>
      <div className="source-actions">
        <button type="submit" className="button" disabled={running}>
          {chosen?.kind === 'hub' && chosen.stored === null ? `Download and ${action.toLowerCase()}` : action}
        </button>
      </div>
    </form>
  );
}

function sizeOf({ kind, stored }: CorpusInfo): string {
  if (stored) {
    const { documents, complete, bytes: size } = stored;
    const rows = documents > 1 ? `${plural(documents, 'row')}${complete ? '' : ', the beginning'}, ` : '';
    return `Stored: ${rows}${bytes(size)}.`;
  }
  return kind === 'hub' ? 'Downloaded at first use, then stored in this browser.' : '';
}
