/** @file The files behind an address differ from the stored copy: asks the user which of the two to open. */
import { commands } from '../../lab/page/app';
import { FailureNote } from '../parts/failureNote';
import { useTask } from '../parts/useLab';

export function ChangedModel({ source }: { source: string }) {
  const load = useTask('load');
  if (load.phase !== 'failed') return null;
  return (
    <FailureNote title="The model behind this address has changed" failure={load.failure}>
      <button
        type="button"
        className="button small"
        onClick={() => void commands.loadModel(source, { changed: 'fetch' })}
      >
        Fetch it again
      </button>
      <button
        type="button"
        className="button small"
        onClick={() => void commands.loadModel(source, { changed: 'stored' })}
      >
        Open the stored copy
      </button>
    </FailureNote>
  );
}
