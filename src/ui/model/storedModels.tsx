/** @file Models stored in this browser: open one without the network, or forget it. */

import { useEffect, useState } from 'react';
import { commands } from '../../lab/page/app';
import { ConfirmButton } from '../parts/confirmButton';
import { bytes } from '../parts/format';
import { useLab } from '../parts/useLab';
import { shortSource, storedSource } from './facts';

export function StoredModels() {
  const stored = useLab((state) => state.stored);
  const open = useLab((state) => state.model?.id);
  const unfinished = useLab((state) => state.unfinished);
  useEffect(() => void commands.refreshStorage(), []);
  return (
    <section className="source stored" aria-label="Stored in this browser">
      <h3>Stored in this browser</h3>
      {stored.length === 0 && unfinished.length === 0 && (
        <p className="hint">
          Nothing yet. Models are stored when you first open them, and then open without the network.
        </p>
      )}
      <ul>
        {stored.map((model) => {
          const title = model.card?.title ?? shortSource(model.source);
          const { patchBytes = 0, trainingBytes = 0 } = model;
          return (
            <li key={model.id}>
              <div className="stored-name">
                <b title={model.source}>{title}</b>
                <span className="hint">
                  {bytes(model.storedBytes)}
                  {patchBytes > 0 && ` and ${bytes(patchBytes)} for weights of variants`}
                  {trainingBytes > 0 && ` and ${bytes(trainingBytes)} for checkpoints of trainings`} · {model.dtype} ·
                  used {day(model.lastUsed)}
                </span>
              </div>
              {model.id === open ? (
                <span className="badge">open</span>
              ) : (
                <button
                  type="button"
                  className="button small"
                  aria-label={`Open ${title}`}
                  onClick={() => void commands.loadModel(storedSource(model))}
                >
                  Open
                </button>
              )}
              <ConfirmButton
                label="Forget"
                description={`Forget ${title}`}
                confirm={`Free ${bytes(model.storedBytes + patchBytes + trainingBytes)}`}
                onConfirm={() => void commands.forgetModel(model.id)}
              />
            </li>
          );
        })}
        {unfinished.map((download) => (
          <li key={download.source}>
            <div className="stored-name">
              <b title={download.source}>{shortSource(download.source)}</b>
              <span className="hint">
                incomplete: {bytes(download.bytes)}
                {download.expectedBytes !== null && ` of ${bytes(download.expectedBytes)}`} · last received{' '}
                {day(download.touched)}
              </span>
            </div>
            {download.active ? (
              <span className="badge">downloading</span>
            ) : (
              <>
                <button
                  type="button"
                  className="button small"
                  aria-label={`Resume ${download.source}`}
                  onClick={() => void commands.loadModel(download.source)}
                >
                  Resume
                </button>
                <ConfirmButton
                  label="Forget"
                  description={`Forget the incomplete download of ${download.source}`}
                  confirm={`Free ${bytes(download.bytes)}`}
                  onConfirm={() => void commands.forgetUnfinished(download.source)}
                />
              </>
            )}
          </li>
        ))}
      </ul>
      <StorageUse />
    </section>
  );
}

/** Shows how full the browser's storage is, and whether the browser may clear it without asking. */
function StorageUse() {
  const storage = useLab((state) => state.storage);
  const [asked, setAsked] = useState(false);
  if (storage?.usage == null || storage.quota === null) return null;
  const { usage, quota, persisted } = storage;
  return (
    <div className="storage-use">
      <meter aria-label="Storage used" min={0} max={quota} value={usage} />
      <span className="hint">
        {bytes(usage)} of {bytes(quota)} used
        {persisted === true && '; the browser keeps it until you delete it'}
        {persisted === false && '; the browser may delete it when the disk is full'}
        {persisted === false && asked && ' (it declined to keep everything; bookmarking this page may help)'}
      </span>
      {persisted === false && !asked && (
        <button
          type="button"
          className="button small quiet"
          onClick={() => void commands.keepStored().then(() => setAsked(true))}
        >
          Ask the browser to keep it
        </button>
      )}
    </div>
  );
}

/** '3 Nov'; with the year if it is not the current one. */
function day(time: number): string {
  const date = new Date(time);
  const year = date.getFullYear() === new Date().getFullYear() ? {} : { year: 'numeric' as const };
  return date.toLocaleDateString('en-GB', { day: 'numeric', month: 'short', ...year });
}
