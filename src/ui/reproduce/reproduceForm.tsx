/** @file What running a report again will fetch and measure, before anything happens; and the button that starts it. */
import { useId, useState } from 'react';
import type { ReproducedKind } from '../../lab/contract/sharing';
import { commands } from '../../lab/page/app';
import { placeOf } from '../../lab/page/reproduce/reportedModel';
import type { ModelRecord } from '../../report/record';
import { enumerate } from '../parts/names';
import { choicesOf, fetchText, hubTexts } from './words';

interface Props {
  record: ModelRecord;
  /** A session runs in this tab, which the run ends. */
  endsSession: boolean;
  onClose: () => void;
}

export function ReproduceForm({ record, endsSession, onClose }: Props) {
  const id = useId();
  const [skip, setSkip] = useState<readonly ReproducedKind[]>([]);
  const [token, setToken] = useState('');
  const place = placeOf(record.model);
  const host = 'host' in place ? place.host : null;
  const texts = hubTexts(record);
  const choices = choicesOf(record);
  const toggle = (kind: ReproducedKind): void =>
    setSkip((now) => (now.includes(kind) ? now.filter((each) => each !== kind) : [...now, kind]));

  return (
    <form
      className="reproduce-form"
      aria-label="Run the report again"
      onSubmit={(event) => {
        event.preventDefault();
        onClose();
        void commands.reproduceReport(record, { skip, ...(token.trim() !== '' && { token: token.trim() }) });
      }}
    >
      <p>
        {fetchText(record, host)}
        {texts.length > 0 && ` So does ${enumerate(texts)} from the Hugging Face Hub, unless it is stored.`} Then this
        tab measures on this device:
      </p>
      <ul className="reproduce-choices">
        {choices.map(({ kind, text, time }) => (
          <li key={kind}>
            <label className="check">
              <input type="checkbox" checked={!skip.includes(kind)} onChange={() => toggle(kind)} />
              <span>
                {text}
                {time && <span className="soft"> · {time} on the report’s device</span>}
              </span>
            </label>
          </li>
        ))}
      </ul>
      {place.kind === 'hub' && (
        <p className="reproduce-token">
          <label htmlFor={id}>Token, for a gated model</label>
          <input
            id={id}
            className="field"
            type="password"
            autoComplete="off"
            value={token}
            onChange={({ target }) => setToken(target.value)}
          />
        </p>
      )}
      {endsSession && (
        <p className="hint">The model that is open in this tab closes; its variants and numbers are kept.</p>
      )}
      <div className="report-actions">
        <button type="submit" className="button primary" disabled={skip.length === choices.length}>
          Start
        </button>
        <button type="button" className="button" onClick={onClose}>
          Not now
        </button>
      </div>
    </form>
  );
}
