/** @file A model before its download: its facts, whether it fits, and the download button. */
import { useEffect, useRef } from 'react';
import type { ModelPreview, StorageInfo } from '../../lab/contract/types';
import { useLab } from '../parts/useLab';
import { shortRevision } from './facts';
import { previewFacts } from './previewFacts';

interface Props {
  preview: ModelPreview;
  onLoad: () => void;
  /** Label of the button that closes the card. */
  leave?: string;
  onLeave: () => void;
}

export function PreviewCard({ preview, onLoad, leave = 'Cancel', onLeave }: Props) {
  const device = useLab((state) => state.device);
  const stored = useLab((state) => state.stored);
  const storage = useLab((state) => state.storage);
  // Counts models that were forgotten after the card was drawn.
  const freeBytes = freeOf(storage) ?? preview.freeBytes;
  const { facts, budgets, refused } = previewFacts(preview, { device, stored, freeBytes });
  const [repository = ''] = preview.source.split('@');
  const card = useRef<HTMLElement>(null);
  // The click that opened the card may have been far down the list.
  useEffect(() => {
    card.current?.scrollIntoView({ block: 'nearest' });
  }, []);
  return (
    <section ref={card} className="hub-preview" aria-label={`Before the download: ${preview.source}`}>
      <p className="hub-name">
        {preview.id.startsWith('hf:') ? (
          <>
            <a href={`https://huggingface.co/${repository}`} target="_blank" rel="noreferrer">
              {repository}
            </a>{' '}
            <span className="hint" title={`commit ${preview.revision}, the current commit of this revision`}>
              @{shortRevision(preview.revision)}
            </span>
          </>
        ) : (
          preview.source
        )}
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
        {budgets.map((room) => (
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
        <button type="button" className="button" onClick={onLeave}>
          {leave}
        </button>
      </div>
    </section>
  );
}

/** Free storage by the browser's estimate; null if the browser reports none. */
function freeOf(storage: StorageInfo | null): number | null {
  if (storage?.quota == null || storage.usage === null) return null;
  return Math.max(0, storage.quota - storage.usage);
}
