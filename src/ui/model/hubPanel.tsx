/** @file A model from the Hugging Face Hub: name it or pick one, look at what it costs, then download it. */
import { type FormEvent, useState } from 'react';
import { closePreview, loadModel, previewModel } from '../../lab/commands';
import type { ModelPreview } from '../../lab/types';
import { FailureNote } from '../parts/failureNote';
import { bytes } from '../parts/format';
import { useLab, useTask } from '../parts/useLab';
import { previewFacts } from './previewFacts';

export function HubPanel() {
  const [name, setName] = useState('');
  // The token lives in this component and in the worker's memory: no storage, no address, no store.
  const [token, setToken] = useState('');
  const catalogue = useLab((state) => state.catalogue);
  const preview = useLab((state) => state.preview);
  const task = useTask('preview');
  const permission = token.trim() === '' ? {} : { token: token.trim() };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (name.trim() !== '') void previewModel(name.trim(), permission);
  };
  return (
    <section className="source hub" aria-label="Hugging Face Hub">
      <h3>From the Hugging Face Hub</h3>
      <form className="source-actions" aria-label="Look up on the Hub" onSubmit={submit}>
        <input
          className="field"
          aria-label="Name or address on the Hub"
          autoComplete="off"
          spellCheck={false}
          placeholder="owner/name or owner/name@revision"
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
        <input
          className="field"
          type="password"
          aria-label="Token for gated models"
          title="Stays in this tab's memory; forgotten when the tab is closed"
          autoComplete="off"
          placeholder="token, for gated models only"
          value={token}
          onChange={(event) => setToken(event.target.value)}
        />
        <button type="submit" className="button" disabled={name.trim() === '' || task.phase === 'running'}>
          {task.phase === 'running' ? 'Looking it up…' : 'Look it up'}
        </button>
      </form>
      {catalogue.length > 0 && (
        <ul className="hub-choices" aria-label="Good models to start with">
          {catalogue.map(({ repository, revision, approximateBytes, why }) => (
            <li key={repository}>
              <button
                type="button"
                className="button small"
                onClick={() => {
                  setName(repository);
                  void previewModel(`${repository}@${revision}`, permission);
                }}
              >
                {repository}
              </button>
              <span className="hint">
                about {bytes(approximateBytes)}. {why}
              </span>
            </li>
          ))}
        </ul>
      )}
      {task.phase === 'failed' && <FailureNote title="The model could not be looked up" failure={task.failure} />}
      {preview && <PreviewCard preview={preview} onLoad={() => void loadModel(preview.source, permission)} />}
    </section>
  );
}

function PreviewCard({ preview, onLoad }: { preview: ModelPreview; onLoad: () => void }) {
  const device = useLab((state) => state.device);
  const { facts, warnings } = previewFacts(preview, device);
  return (
    <section className="hub-preview" aria-label={`Before the download: ${preview.source}`}>
      <p className="hint">{preview.source}</p>
      <dl className="facts">
        {facts.map((fact) => (
          <div key={fact.label} title={fact.title}>
            <dt>{fact.label}</dt>
            <dd>{fact.value}</dd>
          </div>
        ))}
      </dl>
      {warnings.map((warning) => (
        <p key={warning} className="hint" role="status">
          {warning}
        </p>
      ))}
      <div className="source-actions">
        <button type="button" className="button" onClick={onLoad}>
          {preview.stored ? 'Open' : preview.storedBytes > 0 ? 'Resume the download' : 'Download and open'}
        </button>
        <button type="button" className="button" onClick={closePreview}>
          Leave it
        </button>
      </div>
    </section>
  );
}
