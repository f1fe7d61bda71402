/** @file The text of a training: a stored one, one that the user adds, instruction pairs, or text that the base writes. */
import { useState } from 'react';
import type { CorpusInfo } from '../../lab/contract/types';
import type { ModelInfo } from '../../report/facts';
import { NumberField } from '../parts/numberField';
import { RealField } from '../parts/realField';
import { Segmented } from '../parts/segmented';
import { useLab } from '../parts/useLab';
import type { TextChoice } from './form';
import { InstructionPairs } from './instructionPairs';
import { OwnText } from './ownText';

interface Props {
  model: ModelInfo;
  text: TextChoice;
  onChange: (text: TextChoice) => void;
}

type Kind = TextChoice['kind'] | 'own';

const kinds: readonly { value: Kind; label: string }[] = [
  { value: 'corpus', label: 'Stored text' },
  { value: 'own', label: 'Your own text' },
  { value: 'instructions', label: 'Instruction pairs' },
  { value: 'generated', label: 'Written by the original' },
];

const firstOf: Readonly<Record<TextChoice['kind'], TextChoice>> = {
  corpus: { kind: 'corpus', corpus: null },
  instructions: { kind: 'instructions', pairs: [], from: null },
  generated: { kind: 'generated', rows: 64, temperature: 1 },
};

export function TextPart({ model, text, onChange }: Props) {
  const [kind, setKind] = useState<Kind>(text.kind);
  const choose = (chosen: Kind): void => {
    setKind(chosen);
    onChange(firstOf[chosen === 'own' ? 'corpus' : chosen]);
  };
  return (
    <div className="retrain-line">
      <span className="retrain-legend">Text</span>
      <div className="retrain-text">
        <Segmented legend="Text to train on" options={kinds} value={kind} onChange={choose} />
        {kind === 'corpus' && text.kind === 'corpus' && (
          <StoredText corpus={text.corpus} onChange={(corpus) => onChange({ kind: 'corpus', corpus })} />
        )}
        {kind === 'own' && (
          <OwnText
            onAdded={({ name }) => {
              setKind('corpus');
              onChange({ kind: 'corpus', corpus: name });
            }}
          />
        )}
        {text.kind === 'instructions' && (
          <InstructionPairs
            pairs={text.pairs}
            onChange={(pairs, from) => onChange({ kind: 'instructions', pairs, from })}
          />
        )}
        {text.kind === 'generated' && (
          <>
            <div className="retrain-fields">
              <NumberField
                label="rows"
                name="Rows that the original model writes"
                value={text.rows}
                least={1}
                most={10_000}
                onChange={(rows) => onChange({ ...text, rows })}
              />
              <RealField
                label="temperature"
                name="Temperature of the text that the original model writes"
                value={text.temperature}
                least={0}
                most={10}
                onChange={(temperature) => onChange({ ...text, temperature })}
              />
            </div>
            <p className="hint">
              {model.card?.title ?? 'The original model'} writes the rows before the training starts, from its start
              token on. The seed fixes them.
            </p>
          </>
        )}
      </div>
    </div>
  );
}

function StoredText({ corpus, onChange }: { corpus: string | null; onChange: (corpus: string | null) => void }) {
  const corpora = useLab((state) => state.corpora).filter(({ name }) => name !== 'evaluation');
  const chosen = corpora.find(({ name }) => name === (corpus ?? 'calibration'));
  const groups: readonly { label: string; of: readonly CorpusInfo[] }[] = [
    { label: 'Built in', of: corpora.filter(({ kind }) => kind === 'built-in') },
    { label: 'Yours', of: corpora.filter(({ kind }) => kind === 'file' || kind === 'text') },
    { label: 'From the Hugging Face Hub', of: corpora.filter(({ kind }) => kind === 'hub') },
  ];
  return (
    <>
      <select
        className="field"
        aria-label="Stored text to train on"
        value={corpus ?? 'calibration'}
        onChange={({ target }) => onChange(target.value === 'calibration' ? null : target.value)}
      >
        {groups
          .filter(({ of }) => of.length > 0)
          .map(({ label, of }) => (
            <optgroup key={label} label={label}>
              {of.map(({ name, title }) => (
                <option key={name} value={name}>
                  {title}
                </option>
              ))}
            </optgroup>
          ))}
      </select>
      {chosen?.kind === 'hub' && chosen.stored === null && (
        <p className="hint">Downloaded when the training starts, then stored in this browser.</p>
      )}
    </>
  );
}
