/** @file A model that a link names: shows its owner and host before the page sends any request. */
import { commands } from '../../lab/page/app';
import type { ModelLink } from '../../lab/page/store';
import { FailureNote } from '../parts/failureNote';
import { useLab, useTask } from '../parts/useLab';
import { shortRevision } from './facts';
import { PreviewCard } from './previewCard';

export function LinkCard({ onSources }: { onSources: () => void }) {
  const link = useLab((state) => state.link);
  const preview = useLab((state) => state.preview);
  const task = useTask('preview');
  if (!link) return null;
  const ofLink = link.kind === 'hub' ? preview?.id === `hf:${link.name}` : preview?.source === link.source;
  const running = task.phase === 'running';
  return (
    <section className="ask" aria-label="A model that waits for your click">
      <h3>
        {link.reason === 'link'
          ? 'The link names a model that is not stored in this browser'
          : 'The model that was open last is no longer stored in this browser'}
      </h3>
      <LinkFacts link={link} />
      {preview && ofLink ? (
        <PreviewCard
          leave="Open the demo"
          preview={preview}
          onLoad={() => void commands.loadModel(preview.source)}
          onLeave={() => void commands.openDemoInstead()}
        />
      ) : (
        <>
          {task.phase !== 'failed' && (
            <p className="hint">
              No request has been sent yet. “Look it up” asks {link.host} for the configuration and the size. The
              weights are downloaded only after a second click.
            </p>
          )}
          {task.phase === 'failed' && (
            <FailureNote title="The model could not be looked up" failure={task.failure}>
              {task.failure.code === 'gated' && (
                <button type="button" className="button small" onClick={onSources}>
                  Enter a token
                </button>
              )}
            </FailureNote>
          )}
          <div className="source-actions">
            <button
              type="button"
              className="button primary"
              disabled={running}
              onClick={() => void commands.previewModel(link.source)}
            >
              {running ? 'Looking it up…' : 'Look it up'}
            </button>
            <button type="button" className="button" onClick={() => void commands.openDemoInstead()}>
              Open the demo
            </button>
          </div>
        </>
      )}
    </section>
  );
}

function LinkFacts({ link }: { link: ModelLink }) {
  const { kind, host, name, revision } = link;
  return (
    <dl className="facts ask-facts">
      <div>
        <dt>Host</dt>
        <dd>{host}</dd>
      </div>
      <div>
        <dt>{kind === 'hub' ? 'Model' : 'Folder'}</dt>
        <dd title={link.source}>{name}</dd>
      </div>
      {revision !== null && (
        <div>
          <dt>Revision</dt>
          <dd title={revision}>{shortRevision(revision)}</dd>
        </div>
      )}
    </dl>
  );
}
