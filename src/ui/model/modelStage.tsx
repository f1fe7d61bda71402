/** @file Stage one: facts of the open model, and the panel to open another. */

import { useEffect, useState } from 'react';
import { commands } from '../../lab/page/app';
import { FailureNote } from '../parts/failureNote';
import { bytes } from '../parts/format';
import { Icon } from '../parts/icons';
import { ProgressBar } from '../parts/progressBar';
import { useLab, useTask } from '../parts/useLab';
import { ChangedModel } from './changedModel';
import { modelFacts, shortSource } from './facts';
import { LinkCard } from './linkCard';
import { OpeningCard } from './openingCard';
import { SourcePanel } from './sourcePanel';

export function ModelStage() {
  const ready = useLab((state) => state.ready);
  const model = useLab((state) => state.model);
  const load = useTask('load');
  const notes = model?.notes.filter((note) => !model.openingNotes?.includes(note)) ?? [];
  const changedSource = useLab((state) => state.changedSource);
  const changed = load.phase === 'failed' && load.failure.code === 'changed' ? changedSource : null;
  /** Whether the user opened or closed the panel; null until then, and again after a finished load. */
  const [wanted, setWanted] = useState<boolean | null>(null);
  const loading = load.phase === 'running';
  const asking = useLab((state) => state.link !== null || state.endedOpenings.length > 0);
  // Without a model there is nothing else to do on this page, so the panel is open.
  const open = ready && (wanted ?? (!asking && (load.phase === 'failed' || (!model && load.phase === 'idle'))));
  const starting = !ready && load.phase !== 'failed';
  useEffect(() => {
    if (load.phase === 'done') setWanted(null);
  }, [load.phase]);
  return (
    <section className="card model" aria-labelledby="model-title">
      <div className="bar">
        <h2 id="model-title">Model</h2>
        {model && (
          <span className="bar-note" title={model.source}>
            {model.card?.title ?? shortSource(model.source)}
          </span>
        )}
        <span className="spring" />
        {(model || asking) && (
          <button
            type="button"
            className="button"
            aria-expanded={open}
            aria-controls="model-sources"
            onClick={() => setWanted(!open)}
          >
            {open ? 'Close' : 'Open another model'}
          </button>
        )}
      </div>
      {model && (
        <dl className="facts">
          {modelFacts(model).map((fact) => (
            <div key={fact.label} title={fact.title}>
              <dt>{fact.label}</dt>
              <dd>{fact.value}</dd>
            </div>
          ))}
        </dl>
      )}
      {notes.length > 0 && (
        <details className="foot" data-testid="model-notes">
          <summary>{notes.length === 1 ? 'One thing' : `${notes.length} things`} to know about these files</summary>
          <ul>
            {notes.map((note) => (
              <li key={note}>{note}</li>
            ))}
          </ul>
        </details>
      )}
      {starting && <p className="quiet-line">Starting the laboratory…</p>}
      {loading && (
        <ProgressBar
          label={model ? 'Loading another model' : 'Loading the model'}
          progress={load.progress}
          taskKey="load"
        />
      )}
      {model?.openingNotes?.map((note) => (
        <p className="note" key={note}>
          <Icon name="info" />
          <span className="note-body">{note}</span>
        </p>
      ))}
      {model?.outdated && !loading && (
        <button
          type="button"
          className="button small"
          onClick={() => void commands.loadModel(model.source, { changed: 'fetch' })}
        >
          Fetch the model again
        </button>
      )}
      {changed && <ChangedModel source={changed} />}
      {load.phase === 'failed' && !changed && (
        <FailureNote
          title={ready ? 'The model could not be loaded' : 'The laboratory could not start'}
          failure={load.failure}
        >
          {!ready && (
            <button type="button" className="button small" onClick={() => location.reload()}>
              Reload the page
            </button>
          )}
        </FailureNote>
      )}
      {!loading && <OpeningCard />}
      {!loading && !open && <LinkCard onSources={() => setWanted(true)} />}
      {open && <SourcePanel id="model-sources" />}
      {model && open && model.downloadedBytes > 0 && (
        <p className="foot">{bytes(model.downloadedBytes)} were downloaded for the open model.</p>
      )}
    </section>
  );
}
