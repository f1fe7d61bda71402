/** @file A model from the Hugging Face Hub: enter a name or pick one, see its size, then download it. */

import { type FormEvent, useCallback, useEffect, useState } from 'react';
import { commands } from '../../lab/page/app';
import { FailureNote } from '../parts/failureNote';
import { bytes } from '../parts/format';
import { useLab, useTask } from '../parts/useLab';
import { PreviewCard } from './previewCard';

export function HubPanel() {
  const link = useLab((state) => state.link);
  const [name, setName] = useState(link?.kind === 'hub' ? link.source : '');
  // The token is kept in this component and in the worker's memory only: never in storage, the address or the store.
  const [token, setToken] = useState('');
  useForgetRefused(useCallback(() => setToken(''), []));
  const preview = useLab((state) => state.preview);
  const task = useTask('preview');
  const permission = token.trim() === '' ? {} : { token: token.trim() };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (name.trim() !== '') void commands.previewModel(name.trim(), permission);
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
          title="Kept in this tab’s memory only, until you close the tab"
          autoComplete="off"
          placeholder="token, for gated models only"
          value={token}
          onChange={(event) => setToken(event.target.value)}
        />
        <button type="submit" className="button" disabled={name.trim() === '' || task.phase === 'running'}>
          {task.phase === 'running' ? 'Looking it up…' : 'Look it up'}
        </button>
      </form>
      <OtherHub />
      {task.phase === 'failed' && <FailureNote title="The model could not be looked up" failure={task.failure} />}
      {preview && (
        <PreviewCard
          key={preview.source}
          preview={preview}
          onLoad={() => void commands.loadModel(preview.source, permission)}
          onLeave={commands.closePreview}
        />
      )}
      <Catalogue
        onPick={(repository, revision) => {
          setName(repository);
          void commands.previewModel(`${repository}@${revision}`, permission);
        }}
      />
    </section>
  );
}

/** Tells the user which host receives names and tokens, if the page's address names another Hub. */
function OtherHub() {
  const { hub, refused } = commands.hubChoice();
  if (refused !== null) {
    return (
      <p className="hint other-hub">
        The page’s address names another Hub. It is ignored: only a page served from this machine may name another Hub,
        and only one on this machine. Model names and tokens go to huggingface.co.
      </p>
    );
  }
  if (hub === null) return null;
  return (
    <p className="hint other-hub">
      Model names and tokens go to <b>{new URL(hub).host}</b> instead of huggingface.co, because the page’s address says
      so.
    </p>
  );
}

/** Clears a token that the Hub refused. */
function useForgetRefused(forget: () => void): void {
  const refused = useLab(({ tasks }) =>
    [tasks.preview, tasks.load].some((task) => task?.phase === 'failed' && task.failure.code === 'gated'),
  );
  useEffect(() => {
    if (refused) forget();
  }, [refused, forget]);
}

function Catalogue({ onPick }: { onPick: (repository: string, revision: string) => void }) {
  const catalogue = useLab((state) => state.catalogue);
  const failure = useLab((state) => state.catalogueFailure);
  if (failure) return <FailureNote title="The list of suggested models could not be read" failure={failure} />;
  if (catalogue.length === 0) return null;
  return (
    <ul className="hub-choices" aria-label="Suggested models">
      {catalogue.map(({ repository, revision, approximateBytes, licence, gated, why }) => (
        <li key={repository}>
          <button type="button" className="button small" onClick={() => onPick(repository, revision)}>
            {repository}
          </button>
          <span className="hub-size">
            {bytes(approximateBytes)}
            {licence !== undefined && ` · ${licence}`}
            {gated && <span className="badge">gated</span>}
          </span>
          <span className="hint">{why}</span>
        </li>
      ))}
    </ul>
  );
}
