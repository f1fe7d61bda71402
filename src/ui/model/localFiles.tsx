/** @file A model from this device: choose a folder or files, or drop them. Nothing is uploaded. */

import { useState } from 'react';
import { toLabError } from '../../errors';
import type { Failure } from '../../lab/contract/failure';
import { commands } from '../../lab/page/app';
import type { ChosenFile } from '../../shards/sources/chosenFiles';
import { FailureNote } from '../parts/failureNote';
import { Icon } from '../parts/icons';
import { useDrop } from '../parts/useDrop';
import { droppedFiles } from './files';

export function LocalFiles() {
  const [failure, setFailure] = useState<Failure | null>(null);

  const open = (files: File[] | ChosenFile[]): void => {
    setFailure(null);
    if (files.length > 0) void commands.loadModel(files);
  };
  const drop = useDrop('source', (dropped) => {
    droppedFiles(dropped).then(open, (thrown: unknown) => {
      const { code, message } = toLabError(thrown);
      setFailure({ code, message, remedy: 'Choose the folder or its files with the buttons instead.' });
    });
  });

  return (
    <section aria-label="Files from this device" className={drop.className} {...drop.handlers}>
      <h3>From this device</h3>
      <p className="hint">
        Drop or choose a model folder, or a llama2.c .bin file with its tokenizer.bin or tokenizer.model. The files stay
        on this device.
      </p>
      <div className="source-actions">
        <FileButton label="Choose a folder" folder onFiles={open} />
        <FileButton label="Choose files" onFiles={open} />
      </div>
      {failure && <FailureNote title="The dropped files could not be read" failure={failure} />}
    </section>
  );
}

function FileButton(props: { label: string; folder?: boolean; onFiles: (files: File[]) => void }) {
  const { label, folder = false, onFiles } = props;
  return (
    <label className="button file-button">
      <Icon name="folder" />
      {label}
      <input
        type="file"
        multiple
        className="sr-only"
        {...(folder ? { webkitdirectory: '' } : {})}
        onChange={(event) => {
          onFiles([...(event.target.files ?? [])]);
          event.target.value = ''; // the same choice again is a new choice
        }}
      />
    </label>
  );
}
