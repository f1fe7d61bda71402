/** @file A model from the Hugging Face Hub: name it or pick one, look at what it costs, then download it. */
import { type FormEvent, useCallback, useEffect, useRef, useState } from 'react';
import { closePreview, loadModel, previewModel } from '../../lab/commands';
import type { ModelPreview, StorageInfo } from '../../lab/types';
import { FailureNote } from '../parts/failureNote';
import { bytes } from '../parts/format';
import { useLab, useTask } from '../parts/useLab';
import { shortRevision } from './facts';
import { previewFacts } from './previewFacts';

export function HubPanel() {
  const [name, setName] = useState('');
  // The token lives in this component and in the worker's memory: no storage, no address, no store.
  const [token, setToken] = useState('');
  useForgetRefused(useCallback(() => setToken(''), []));
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
      {task.phase === 'failed' && <FailureNote title="The model could not be looked up" failure={task.failure} />}
      {preview && (
        <PreviewCard key={preview.source} preview={preview} onLoad={() => void loadModel(preview.source, permission)} />
      )}
      <Catalogue
        onPick={(repository, revision) => {
          setName(repository);
          void previewModel(`${repository}@${revision}`, permission);
        }}
      />
    </section>
  );
}

/** A token that the Hub refused is worth nothing: it goes. */
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
  if (failure) return <FailureNote title="The list of good starting points could not be read" failure={failure} />;
  if (catalogue.length === 0) return null;
  return (
    <ul className="hub-choices" aria-label="Good models to start with">
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

function PreviewCard({ preview, onLoad }: { preview: ModelPreview; onLoad: () => void }) {
  const device = useLab((state) => state.device);
  const stored = useLab((state) => state.stored);
  const storage = useLab((state) => state.storage);
  // What was forgotten since the card was drawn counts.
  const freeBytes = freeOf(storage) ?? preview.freeBytes;
  const { facts, rooms, refused } = previewFacts(preview, { device, stored, freeBytes });
  const [repository = ''] = preview.source.split('@');
  const card = useRef<HTMLElement>(null);
  // It answers a click that may have been far down the list.
  useEffect(() => {
    card.current?.scrollIntoView({ block: 'nearest' });
  }, []);
  return (
    <section ref={card} className="hub-preview" aria-label={`Before the download: ${preview.source}`}>
      <p className="hub-name">
        <a href={`https://huggingface.co/${repository}`} target="_blank" rel="noreferrer">
          {repository}
        </a>{' '}
        <span className="hint" title={`commit ${preview.revision}, which its revision means now`}>
          @{shortRevision(preview.revision)}
        </span>
      </p>
      <dl className="facts">
        {facts.map((fact) => (
          <div key={fact.label} title={fact.title}>
            <dt>{fact.label}</dt>
            <dd>{fact.value}</dd>
          </div>
        ))}
      </dl>
      <ul className="rooms" aria-label="Does it fit?">
        {rooms.map((room) => (
          <li key={room.label} className={room.fits === false ? 'room over' : 'room'}>
            <span className="room-label">{room.label}</span>
            <span className="room-answer">{room.fits === null ? 'needs' : room.fits ? 'fits' : 'too large'}</span>
            <span className="room-sum">
              {room.arithmetic}.{room.remedy !== undefined && <span className="room-remedy"> {room.remedy}</span>}
            </span>
          </li>
        ))}
      </ul>
      <div className="source-actions">
        <button type="button" className="button primary" disabled={refused} onClick={onLoad}>
          {preview.stored ? 'Open' : preview.storedBytes > 0 ? 'Resume the download' : 'Download and open'}
        </button>
        <button type="button" className="button" onClick={closePreview}>
          Leave it
        </button>
      </div>
    </section>
  );
}

/** What the browser would still store, by its estimate; null where it does not tell. */
function freeOf(storage: StorageInfo | null): number | null {
  if (storage?.quota == null || storage.usage === null) return null;
  return Math.max(0, storage.quota - storage.usage);
}
